import { UsageError } from '../command-line/command-line.ts';
import type { Values } from '../command-line/command-line.ts';
import { requestHeadersSchema } from '../wire/headers.ts';

/** All options, by name, with the value that the help shows. */
export const options = {
  number: { type: 'string', example: '<registration number>' },
  verdict: { type: 'string', example: 'REGISTERED|NOT_REGISTERED' },
  'despite-payment-gateway': { type: 'boolean', example: '' },
  step: { type: 'string', example: 'ARS_CALL|REVIEW|…' },
  all: { type: 'boolean', example: '' },
  to: { type: 'string', example: '2026-11-26T02:00:00Z' },
  'lost-nothing': { type: 'boolean', example: '' },
  operator: { type: 'string', example: '<name>' },
  name: { type: 'string', example: '<name>' },
  request: { type: 'string', example: '<number>' },
  verify: { type: 'boolean', example: '' },
  head: { type: 'string', example: '<published head>' },
  reason: { type: 'string', example: '<text>' },
  asp: { type: 'string', example: '<ASP ID>' },
  url: { type: 'string', example: 'https://…' },
  off: { type: 'boolean', example: '' },
  'client-public-key': { type: 'string', example: '<PEM file>' },
  'plain-allowed': { type: 'boolean', example: '' },
  'any-holder': { type: 'boolean', example: '' },
  'all-institutions': { type: 'boolean', example: '' },
  accepted: { type: 'string', example: 'BANKS|ALL' },
  state: { type: 'string', example: 'ACTIVE|INACTIVE|DISCARDED' },
  file: { type: 'string', example: '<JSON lines file>' },
  bank: { type: 'string', example: '<bank code>' },
  daily: { type: 'string', example: '23:30-00:30' },
  from: { type: 'string', example: '2026-12-24T23:00+09:00' },
  until: { type: 'string', example: '2026-12-25T02:00+09:00' },
  id: { type: 'string', example: '<number>' },
  user: { type: 'string', example: '<member ID>' },
  correlation: { type: 'string', example: '<correlation ID>' },
  'before-retention-ends': { type: 'boolean', example: '' },
  directory: { type: 'string', example: '<new directory>' },
  'dry-run': { type: 'boolean', example: '' },
  check: { type: 'boolean', example: '' },
  'retention-days': { type: 'string', example: '<number>' },
  help: { type: 'boolean', example: '' },
} as const;

/** The name of an option. */
export type OptionName = keyof typeof options;

/** The values given. */
export type OptionValues = Values<typeof options>;

/** Reads --number. @throws {UsageError} unless it is a registration number (it goes into a query) */
export function readRegistrationNumber({ number = '' }: OptionValues): string {
  if (/^[0-9A-Z]{22}$/.test(number)) return number;
  throw new UsageError('--number must be 22 digits and capital letters.');
}

/** Reads --asp. @throws {UsageError} unless it is an ASP ID */
export function readAspId({ asp = '' }: OptionValues): string {
  if (requestHeadersSchema.shape['X-KM-User-AspId'].safeParse(asp).success) return asp;
  throw new UsageError('--asp must be 15 characters without spaces.');
}

/** Reads an option with a fixed set of values. @throws {UsageError} for any other value */
export function readChoice<Choice extends string>(
  values: OptionValues,
  name: OptionName,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((candidate) => candidate === values[name]);
  if (choice !== undefined) return choice;
  throw new UsageError(`--${name} must be ${choices.join(' or ')}.`);
}
