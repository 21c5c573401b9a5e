import { parseArgs } from 'node:util';
import { requestHeadersSchema } from '../wire/headers.ts';

/** The command line cannot be carried out as it was written. The message says what is wrong with it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** All options, by name, with the value that the usage shows. */
const options = {
  number: { type: 'string', example: '<registration number>' },
  verdict: { type: 'string', example: 'REGISTERED|NOT_REGISTERED' },
  operator: { type: 'string', example: '<your name>' },
  reason: { type: 'string', example: '<text>' },
  asp: { type: 'string', example: '<ASP ID>' },
  url: { type: 'string', example: 'https://…' },
  off: { type: 'boolean', example: '' },
  'client-public-key': { type: 'string', example: '<PEM file>' },
  'plain-allowed': { type: 'boolean', example: '' },
  'any-holder': { type: 'boolean', example: '' },
  state: { type: 'string', example: 'ACTIVE|INACTIVE|DISCARDED' },
  file: { type: 'string', example: '<JSON lines file>' },
  bank: { type: 'string', example: '<bank code>' },
  daily: { type: 'string', example: '23:30-00:30' },
  from: { type: 'string', example: '2026-12-24T23:00+09:00' },
  until: { type: 'string', example: '2026-12-25T02:00+09:00' },
  id: { type: 'string', example: '<number>' },
  user: { type: 'string', example: '<member ID>' },
  'before-retention-ends': { type: 'boolean', example: '' },
  directory: { type: 'string', example: '<new directory>' },
  'dry-run': { type: 'boolean', example: '' },
  help: { type: 'boolean', example: '' },
} as const;

/** The name of an option. */
export type OptionName = keyof typeof options;

/** The values given. */
export type Values = {
  readonly [Name in OptionName]?: (typeof options)[Name]['type'] extends 'string' ? string : boolean;
};

/** Which options a command has. Every command has --help besides. */
export interface Signature {
  readonly required: readonly OptionName[];
  readonly optional: readonly OptionName[];
}

/** Splits a command line. @throws {UsageError} for an unknown option, or one without its value */
export function splitArguments(words: readonly string[]): { command: string; values: Values } {
  try {
    const { positionals, values } = parseArgs({ args: [...words], options, allowPositionals: true });
    return { command: positionals.join(' '), values: { ...values } };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws {UsageError} when an option is missing or is none of the command's */
export function checkOptions(command: string, { required, optional }: Signature, values: Values): void {
  const allowed = new Set<string>([...required, ...optional]);
  const strange = Object.keys(values).find((name) => !allowed.has(name));
  if (strange !== undefined) throw new UsageError(`${command} takes no --${strange}.`);
  const missing = required.filter((name) => !values[name]).map((name) => `--${name}`);
  if (missing.length > 0) throw new UsageError(`${command} needs ${missing.join(', ')}.`);
}

/** Reads --number. @throws {UsageError} when it is no registration number, and so nothing for a query */
export function readRegistrationNumber({ number = '' }: Values): string {
  if (/^[0-9A-Z]{22}$/.test(number)) return number;
  throw new UsageError('--number must be 22 digits and capital letters.');
}

/** Reads --asp. @throws {UsageError} when it is no ASP ID */
export function readAspId({ asp = '' }: Values): string {
  if (requestHeadersSchema.shape['X-KM-User-AspId'].safeParse(asp).success) return asp;
  throw new UsageError('--asp must be 15 characters without spaces.');
}

/** Reads an option that has few values. @throws {UsageError} when it has another one */
export function readChoice<Choice extends string>(
  values: Values,
  name: OptionName,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((candidate) => candidate === values[name]);
  if (choice !== undefined) return choice;
  throw new UsageError(`--${name} must be ${choices.join(' or ')}.`);
}

/** The command line of a command with example values, ready to be copied. */
export function exampleOf(command: string, { required, optional }: Signature): string {
  return [
    callOf(command),
    ...required.map(withExample),
    ...optional.map((name) => `[${withExample(name)}]`),
  ].join(' ');
}

/** How a command is called: those on evidence have a script of their own. */
function callOf(command: string): string {
  return command.startsWith('evidence ')
    ? command.replace('evidence ', 'npm run evidence -- ')
    : `npm run operator -- ${command}`;
}

function withExample(name: OptionName): string {
  return `--${name} ${options[name].example}`.trim();
}
