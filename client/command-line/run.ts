import { KmError } from '../errors.ts';
import { connect, ServiceNotFound } from './access.ts';
import { checkOptions, exampleOf, splitArguments, UsageError } from './arguments.ts';
import { commands } from './commands.ts';
import { createTerminal } from './terminal.ts';
import type { Surroundings } from './terminal.ts';
import { codes } from '../../wire/result-codes.ts';

/** The codes that say the input itself is wrong. */
const inputCodes: readonly string[] = [codes.INVALID_VALUE, codes.MISSING_VALUE, codes.WRONG_LENGTH];

/**
 * Carries out a command line.
 * @returns the exit code: 0 registered or done, 1 failed, 2 not to be carried out as written
 */
export async function runCommandLine(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { environment, output, errors } = surroundings;
  const terminal = createTerminal(errors, environment);
  let example: string | undefined;
  try {
    const {
      words: [name, ...surplus],
      values,
    } = splitArguments(words);
    if (values.help) {
      output.write(`${usage()}\n`);
      return 0;
    }
    if (name === undefined) throw new UsageError('Which command?');
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command) throw new UsageError(`There is no command "${name}".`);
    example = exampleOf(name, command);
    if (surplus.length > 0) throw new UsageError(`"${surplus.join(' ')}" belongs to no option.`);
    checkOptions(name, command, values);
    const access = await connect(values.url, values.user, environment);
    return await command.run(values, access, createTerminal(output, environment));
  } catch (error) {
    if (isUsageError(error)) {
      terminal.line(terminal.paint('red', error.message));
      terminal.line(example === undefined ? usage() : `Try: ${example}`);
      return 2;
    }
    if (!(error instanceof KmError || error instanceof ServiceNotFound)) throw error;
    terminal.line(`${terminal.paint('red', 'Failed:')} ${error.message}`);
    return 1;
  }
}

function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof KmError && inputCodes.includes(error.code));
}

function usage(): string {
  const lines = Object.entries(commands).flatMap(([name, command]) => [
    `  ${name}: ${command.summary}`,
    `    ${exampleOf(name, command)}`,
  ]);
  return [
    'Commands:',
    ...lines,
    'Every command takes --url http://localhost:3000 (or KM_URL). Credentials: KM_ASP_ID, KM_ACCESS_KEY, KM_SECRET_KEY,',
    'KM_CRYPTO_KEY_ID, KM_SERVER_PUBLIC_KEY, KM_CLIENT_PRIVATE_KEY; without them, those of the sandbox at the URL.',
  ].join('\n');
}
