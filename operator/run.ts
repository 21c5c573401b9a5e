import { ConfigurationError } from '../runtime/config.ts';
import { isTransient } from '../runtime/transient-errors.ts';
import { checkOptions, exampleOf, splitArguments, UsageError } from './arguments.ts';
import type { Parts, TemporalParts } from './command.ts';
import { commands } from './commands.ts';
import { Refused } from './refused.ts';

/** What a command line runs in. */
export interface Surroundings {
  /** Writes a line of what the command has to say. */
  readonly print: (line: string) => void;
  /** Writes a line of what went wrong, or of how far long work has come. */
  readonly printError: (line: string) => void;
  readonly openTemporal: () => Pick<TemporalParts, 'temporal'>;
  readonly openAll: () => Promise<Pick<Parts, 'temporal' | 'stores'>>;
}

/**
 * Carries out a command line.
 * @returns the exit code: 0 done, 1 refused or failed, 2 not to be carried out as written
 */
export async function runCommandLine(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { print, printError, openTemporal, openAll } = surroundings;
  let example = usage('');
  try {
    const { command: name, values } = splitArguments(words);
    example = usage(name);
    if (values.help) {
      print(example);
      return 0;
    }
    if (name === '') throw new UsageError('Which command?');
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command) throw new UsageError(`There is no command "${name}".`);
    example = `Try: ${exampleOf(name, command)}`;
    checkOptions(name, command, values);
    const lines = { print, reportProgress: printError };
    if (command.needsDatabase) await command.read(values)({ ...(await openAll()), ...lines });
    else await command.read(values)({ ...openTemporal(), ...lines });
    return 0;
  } catch (error) {
    printError(describeFailure(error));
    if (!(error instanceof UsageError)) return 1;
    printError(example);
    return 2;
  }
}

function describeFailure(error: unknown): string {
  if (error instanceof UsageError || error instanceof Refused || error instanceof ConfigurationError) {
    return error.message;
  }
  const reason = describeCause(error);
  // What Temporal leaves unanswered is refused where it is asked.
  return isTransient(error)
    ? `The database does not answer (${reason}): check DATABASE_URL and the server, then repeat the command.`
    : `Failed: ${reason}. Check the environment against README.md; if that holds, it is a defect of this program.`;
}

/** The first line of the innermost error: what wraps it repeats queries with their parameters. */
function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return describeCause(error.cause);
  const [line = ''] = error.message.split('\n');
  return line || ('code' in error ? String(error.code) : error.name);
}

/** All commands or, where there are any, those that begin with the words given. */
function usage(words: string): string {
  const all = Object.entries(commands);
  const meant = all.filter(([name]) => `${name} `.startsWith(`${words} `));
  const lines = (meant.length > 0 ? meant : all).flatMap(([name, command]) => [
    `  ${name}: ${command.summary}`,
    `    ${exampleOf(name, command)}`,
  ]);
  return ['Commands:', ...lines].join('\n');
}
