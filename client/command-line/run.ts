import { runCommandLine, UsageError } from '../../command-line/command-line.ts';
import { codes } from '../../wire/result-codes.ts';
import { KmError } from '../errors.ts';
import { commands } from './commands.ts';
import { connect, ServiceNotFound } from './connect.ts';
import { options } from './options.ts';
import { createTerminal } from './terminal.ts';
import type { Output } from './terminal.ts';

/** What the command `km` runs in. */
export interface KmProcess {
  /** How the command is typed, such as `km`. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
  readonly errors: Output;
}

/** The codes that say the input itself is wrong. */
const inputCodes: readonly string[] = [codes.INVALID_VALUE, codes.MISSING_VALUE, codes.WRONG_LENGTH];

const notes = [
  'Every command takes --url http://localhost:3000 (or KM_URL). Credentials: KM_ASP_ID, KM_ACCESS_KEY, KM_SECRET_KEY,',
  'KM_CRYPTO_KEY_ID, KM_SERVER_PUBLIC_KEY, KM_CLIENT_PRIVATE_KEY; without them, those of the sandbox at the URL.',
];

/**
 * Carries out a command line.
 * @returns the exit code: 0 registered or done, 1 failed, 2 wrong command line
 */
export async function runKmCommand(
  words: readonly string[],
  { program, environment, output, errors }: KmProcess,
): Promise<number> {
  const terminal = createTerminal(output, environment);
  const errorTerminal = createTerminal(errors, environment);
  const definition = {
    options,
    commands,
    commonOptions: ['url'],
    callOf: (command: string) => `${program} ${command}`,
    notes,
  } as const;
  const printer = { print: terminal.line, printError: errorTerminal.line };
  try {
    return await runCommandLine(words, definition, printer, async (command, values) => {
      if (!/^(0|[1-9]\d*)?$/.test(values.user ?? '')) {
        throw new UsageError('--user must be digits without leading zeros.');
      }
      const connection = await connect(values.url, values.user, environment);
      return await command.run(values, { ...connection, program, terminal }).catch(throwUsageError);
    });
  } catch (error) {
    if (!(error instanceof KmError || error instanceof ServiceNotFound)) throw error;
    errorTerminal.line(`${errorTerminal.paint('red', 'Failed:')} ${error.message}`);
    return 1;
  }
}

/** @throws {UsageError} when the service refuses the input itself */
function throwUsageError(error: unknown): never {
  if (error instanceof KmError && inputCodes.includes(error.code)) {
    throw new UsageError(error.message, { cause: error });
  }
  throw error;
}
