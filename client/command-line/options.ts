import type { Values } from '../../command-line/command-line.ts';

/** All options, by name, with the value that the help shows. */
export const options = {
  user: { type: 'string', example: '10000000001' },
  bank: { type: 'string', example: '003' },
  account: { type: 'string', example: '11012345678' },
  name: { type: 'string', example: '김하늘' },
  birth: { type: 'string', example: '19900131' },
  mobile: { type: 'string', example: '01012341234' },
  number: { type: 'string', example: '<registration number>' },
  watch: { type: 'boolean', example: '' },
  url: { type: 'string', example: 'http://localhost:3000' },
  help: { type: 'boolean', example: '' },
} as const;

/** The values given. */
export type OptionValues = Values<typeof options>;
