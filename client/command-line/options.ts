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
  'idempotency-key': { type: 'string', example: '<key>' },
  status: { type: 'string', example: 'BANK_ACC_REGISTERED' },
  from: { type: 'string', example: '2026-01-31T00:00:00+09:00' },
  to: { type: 'string', example: '2026-02-01T00:00:00+09:00' },
  limit: { type: 'string', example: '20' },
  cursor: { type: 'string', example: '<registration number>' },
  'forward-to': { type: 'string', example: 'http://localhost:8080/km/result' },
  port: { type: 'string', example: '3100' },
  asp: { type: 'string', example: 'SANDBOXASP00002' },
  url: { type: 'string', example: 'http://localhost:3000' },
  json: { type: 'boolean', example: '' },
  help: { type: 'boolean', example: '' },
} as const;

/** Those that every command accepts. */
export const commonOptions = ['asp', 'url', 'json'] as const;

/** The values given. */
export type OptionValues = Values<typeof options>;
