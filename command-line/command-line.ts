import { parseArgs } from 'node:util';

/** The command line cannot be carried out as written. The message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The options of a program, by name. The help shows `example` as the value. */
export type Options = Readonly<
  Record<string, { readonly type: 'boolean' | 'string'; readonly example: string }>
>;

/** The values given for the options. */
export type Values<Available extends Options> = {
  readonly [Name in keyof Available]?: Available[Name]['type'] extends 'string' ? string : boolean;
};

/** Which options a command requires and which it accepts. */
export interface Signature<Available extends Options> {
  readonly required: readonly (keyof Available & string)[];
  readonly optional: readonly (keyof Available & string)[];
}

/** A command as the help shows it. */
export interface Command<Available extends Options> extends Signature<Available> {
  /** What it does, such as `lists the banks`. */
  readonly summary: string;
}

/** A program with several commands. */
export interface Program<Available extends Options, Entry extends Command<Available>> {
  /** Has `help`, which every command accepts. */
  readonly options: Available;
  /** By name, of one or more words. */
  readonly commands: Readonly<Record<string, Entry>>;
  /** The other options that every command accepts. */
  readonly commonOptions?: readonly (keyof Available & string)[];
  /** How a command is typed, such as `npm run operator -- reviews`. */
  readonly callOf: (command: string) => string;
  /** Lines that the help ends with. */
  readonly notes?: readonly string[];
}

/** Where a program writes its lines. */
export interface Printer {
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  /** Reports for programs that the command line cannot be carried out as written. */
  readonly reportUsageError?: (error: UsageError) => void;
}

/** Splits a command line. @throws {UsageError} for an unknown option, or one without its value */
export function splitArguments<Available extends Options>(
  words: readonly string[],
  options: Available,
): { words: string[]; values: Values<Available> } {
  try {
    const { positionals, values } = parseArgs({ args: [...words], options, allowPositionals: true });
    return { words: positionals, values: { ...values } };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Reads an option that is a whole number.
 * @returns undefined if the option is not given
 * @throws {UsageError} when it is not from `low` to `high`
 */
export function readNumber(
  name: string,
  text: string | undefined,
  low: number,
  high: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw new UsageError(`--${name} must be a number from ${low} to ${high}; it is "${text}".`);
}

/**
 * Writes why a program without commands has failed, and after a UsageError how it is called.
 * @returns its exit code: 2 when the command line cannot be carried out as written, else 1
 */
export function reportFailure(error: unknown, usage: string, printError: Printer['printError']): number {
  printError(error instanceof Error ? error.message : String(error));
  if (!(error instanceof UsageError)) return 1;
  printError(usage);
  return 2;
}

/** The call with example values, ready to be copied. */
export function exampleOf<Available extends Options>(
  call: string,
  { required, optional }: Signature<Available>,
  options: Available,
): string {
  const withExample = (name: keyof Available & string) => `--${name} ${options[name]!.example}`.trim();
  return [call, ...required.map(withExample), ...optional.map((name) => `[${withExample(name)}]`)].join(' ');
}

/**
 * Finds the command of a command line and carries it out. `--help` prints the commands that begin with the words given.
 * @returns the exit code: that of `carryOut`, 0 after `--help`, 2 when the command line cannot be carried out as written
 * @throws whatever `carryOut` throws, except a UsageError
 */
export async function runCommandLine<Available extends Options, Entry extends Command<Available>>(
  words: readonly string[],
  program: Program<Available, Entry>,
  { print, printError, reportUsageError }: Printer,
  carryOut: (command: Entry, values: Values<Available>) => Promise<number>,
): Promise<number> {
  const { options, commands, callOf } = program;
  let advice = describeCommands(program, '');
  try {
    const { words: commandWords, values } = splitArguments(words, options);
    const line = commandWords.join(' ');
    if (values['help']) {
      print(describeCommands(program, line));
      return 0;
    }
    if (line === '') throw new UsageError('A command is missing.');
    advice = describeCommands(program, line);
    const found = Object.entries(commands).find(([name]) => `${line} `.startsWith(`${name} `));
    if (!found) throw new UsageError(`There is no command "${line}".`);
    const [name, command] = found;
    advice = `Try: ${exampleOf(callOf(name), command, options)}${repeat(program.commonOptions, values)}`;
    if (line !== name) throw new UsageError(`Unexpected argument "${line.slice(name.length + 1)}".`);
    checkOptions(name, command, values, program.commonOptions);
    return await carryOut(command, values);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    reportUsageError?.(error);
    printError(error.message);
    printError(advice);
    return 2;
  }
}

/** The common options as they were given, so that what was advised asks the same service. */
function repeat<Available extends Options>(
  commonOptions: readonly (keyof Available & string)[] = [],
  values: Values<Available>,
): string {
  const given = commonOptions.filter((name) => values[name] !== undefined);
  return given
    .map((name) => (values[name] === true ? ` --${name}` : ` --${name} ${String(values[name])}`))
    .join('');
}

/** @throws {UsageError} when an option is missing, or the command does not accept it */
function checkOptions<Available extends Options>(
  command: string,
  { required, optional }: Signature<Available>,
  values: Values<Available>,
  commonOptions: readonly string[] = [],
): void {
  const accepted = new Set<string>([...required, ...optional, ...commonOptions, 'help']);
  const unknown = Object.keys(values).find((name) => !accepted.has(name));
  if (unknown !== undefined) throw new UsageError(`${command} does not accept --${unknown}.`);
  const missing = required.filter((name) => !values[name]).map((name) => `--${name}`);
  if (missing.length > 0) throw new UsageError(`${command} needs ${missing.join(', ')}.`);
}

/** The commands that begin with the words given or, where there are none, all of them. */
function describeCommands<Available extends Options, Entry extends Command<Available>>(
  { options, commands, callOf, notes = [] }: Program<Available, Entry>,
  words: string,
): string {
  const all = Object.entries(commands);
  const matching = all.filter(([name]) => `${name} `.startsWith(`${words} `));
  const lines = (matching.length > 0 ? matching : all).flatMap(([name, command]) => [
    `  ${name}: ${command.summary}`,
    `    ${exampleOf(callOf(name), command, options)}`,
  ]);
  return ['Commands:', ...lines, ...notes].join('\n');
}
