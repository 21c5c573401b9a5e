import { runCommandLine, UsageError } from '../../command-line/command-line.ts';
import { codes } from '../../wire/result-codes.ts';
import { KmError } from '../errors.ts';
import { errorData } from './command.ts';
import type { KmCommand } from './command.ts';
import { commands } from './commands.ts';
import { connect, ServiceNotFound } from './connect.ts';
import { commonOptions, options } from './options.ts';
import type { OptionValues } from './options.ts';
import { createTerminal } from './terminal.ts';
import type { Output } from './terminal.ts';

/** What the command `km` runs in. */
export interface KmProcess {
  /** How the command is typed, such as `km`. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
  readonly errors: Output;
  /** Resolves when the process is asked to stop. A command that never calls it ends at once. */
  readonly untilStopped: () => Promise<void>;
}

/** The codes that say the input itself is wrong. */
const inputCodes: readonly string[] = [codes.INVALID_VALUE, codes.MISSING_VALUE, codes.WRONG_LENGTH];

const notes = [
  'Every command takes --url http://localhost:3000 (or KM_URL; default: the sandbox that was started last) and --json',
  '(one JSON object a line, errors included). Credentials: KM_ASP_ID, KM_ACCESS_KEY, KM_SECRET_KEY, KM_CRYPTO_KEY_ID,',
  'KM_SERVER_PUBLIC_KEY, KM_CLIENT_PRIVATE_KEY; without them, those of the sandbox, where --asp chooses the project.',
];

/**
 * Carries out a command line.
 * @returns the exit code: 0 registered or done, 1 failed, 2 wrong command line
 */
export async function runKmCommand(
  words: readonly string[],
  { program, environment, output, errors, untilStopped }: KmProcess,
): Promise<number> {
  const isJson = words.includes('--json');
  const terminal = createTerminal(output, { environment, isJson });
  const textTerminal = createTerminal(output, { environment, isJson: false });
  const errorTerminal = createTerminal(errors, { environment, isJson: false });
  const definition = {
    options,
    commands,
    commonOptions,
    callOf: (command: string) => `${program} ${command}`,
    notes,
  } as const;
  const printer = {
    print: textTerminal.line,
    printError: errorTerminal.line,
    reportUsageError: ({ message }: UsageError) => terminal.show({ error: { text: message } }),
  };
  return await runCommandLine(words, definition, printer, async (command, values) => {
    if (!/^(0|[1-9]\d*)?$/.test(values.user ?? '')) {
      throw new UsageError('--user must be digits without leading zeros.');
    }
    if (!/^[!-~]{1,255}$/.test(values['idempotency-key'] ?? 'none')) {
      throw new UsageError('--idempotency-key must be 1 to 255 visible ASCII characters.');
    }
    let sameProject = '';
    const callOf = (line: string) => `${program} ${line}${sameProject}`;
    try {
      const connection = await connect(values, environment);
      ({ sameProject } = connection);
      return await command.run(values, { ...connection, callOf, terminal, untilStopped });
    } catch (error) {
      if (!(error instanceof KmError || error instanceof ServiceNotFound)) throw error;
      const isInputWrong = error instanceof KmError && inputCodes.includes(error.code);
      if (isJson)
        terminal.show({ error: error instanceof KmError ? errorData(error) : { text: error.message } });
      else if (isInputWrong) throw new UsageError(error.message, { cause: error });
      else errorTerminal.line(`${errorTerminal.paint('red', 'Failed:')} ${error.message}`);
      const key = error instanceof KmError ? error.idempotencyKey : undefined;
      if (!isJson && key !== undefined) {
        errorTerminal.line(`Call again: ${callOf(lineOf(command, { ...values, 'idempotency-key': key }))}`);
      }
      return isInputWrong ? 2 : 1;
    }
  });
}

/** How a command is typed with its options, without those that lead to the same project. */
function lineOf(command: KmCommand, values: OptionValues): string {
  const name = Object.keys(commands).find((each) => commands[each] === command);
  const given = Object.entries({ ...values, url: undefined, asp: undefined }).filter(
    ([, value]) => value !== undefined,
  );
  const typed = given.map(
    ([option, value]) => `--${option}${value === true ? '' : ` ${quote(String(value))}`}`,
  );
  return [name, ...typed].join(' ');
}

/** Quotes a word for a POSIX shell where it needs that. */
function quote(word: string): string {
  return /^[\p{L}\p{N}_.:/@+-]+$/u.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
