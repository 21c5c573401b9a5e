import { parseArgs } from 'node:util';

/** The command line cannot be carried out as it was written. The message says what is wrong with it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** All options, by name, with the value that the usage shows. */
const options = {
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

/** The name of an option. */
export type OptionName = keyof typeof options;

/** The values given. */
export type Values = {
  readonly [Name in OptionName]?: (typeof options)[Name]['type'] extends 'string' ? string : boolean;
};

/** Which options a command has. Every command has --url and --help besides. */
export interface Signature {
  readonly required: readonly OptionName[];
  readonly optional: readonly OptionName[];
}

/** Splits a command line. @throws {UsageError} for an unknown option, or one without its value */
export function splitArguments(words: readonly string[]): { words: string[]; values: Values } {
  try {
    const { positionals, values } = parseArgs({ args: [...words], options, allowPositionals: true });
    return { words: positionals, values: { ...values } };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws {UsageError} when an option is missing, is none of the command's, or no member can have the ID */
export function checkOptions(command: string, { required, optional }: Signature, values: Values): void {
  const allowed = new Set<string>([...required, ...optional, 'url', 'help']);
  const strange = Object.keys(values).find((name) => !allowed.has(name));
  if (strange !== undefined) throw new UsageError(`${command} takes no --${strange}.`);
  const missing = required.filter((name) => !values[name]).map((name) => `--${name}`);
  if (missing.length > 0) throw new UsageError(`${command} needs ${missing.join(', ')}.`);
  if (/^(0|[1-9]\d*)?$/.test(values.user ?? '')) return;
  throw new UsageError('--user must be digits without leading zeros.');
}

/** The command line of a command with example values, ready to be copied. */
export function exampleOf(command: string, { required, optional }: Signature): string {
  return [
    'npm run km --',
    command,
    ...required.map(withExample),
    ...optional.map((name) => `[${withExample(name)}]`),
  ].join(' ');
}

function withExample(name: OptionName): string {
  return `--${name} ${options[name].example}`.trim();
}
