import { runCommandLine } from '../command-line/command-line.ts';
import type { Printer } from '../command-line/command-line.ts';
import { ConfigurationError } from '../runtime/config.ts';
import { errorCode } from '../runtime/error-code.ts';
import { operatorCommand } from '../runtime/operator-command.ts';
import { isTransient } from '../runtime/transient-errors.ts';
import { createContext } from './acting.ts';
import { AwaitsSecondPerson } from './command.ts';
import type { OperatorCommand, OperatorParts, TemporalContext } from './command.ts';
import { commands } from './commands.ts';
import { options } from './options.ts';
import { Refused } from './refused.ts';

/** Where the commands write, and what they open once their options are checked. */
export interface OperatorResources extends Printer {
  readonly openTemporal: () => Pick<TemporalContext, 'temporal' | 'settings'>;
  readonly openAll: () => Promise<OperatorParts>;
}

/**
 * Carries out an operator's command line.
 * @returns the exit code: 0 done, 1 refused or failed, 2 wrong command line, 3 entered and waiting for a second person
 */
export async function runOperatorCommand(
  words: readonly string[],
  { print, printError, openTemporal, openAll }: OperatorResources,
): Promise<number> {
  const printer = { print, printError };
  const output = { print, reportProgress: printError };
  try {
    return await runCommandLine(
      words,
      { options, commands, callOf: operatorCommand },
      printer,
      async (command, values) => {
        if (command.needs === 'NOTHING') await command.read(values)(output);
        else if (command.needs === 'TEMPORAL') await command.read(values)({ ...openTemporal(), ...output });
        else {
          const carryOut = command.read(values);
          await carryOut(
            createContext(commands, { name: nameOf(command), values }, { ...(await openAll()), ...output }),
          );
        }
        return 0;
      },
    );
  } catch (error) {
    printError(describeFailure(error));
    return error instanceof AwaitsSecondPerson ? 3 : 1;
  }
}

function describeFailure(error: unknown): string {
  const isExplained = [Refused, ConfigurationError, AwaitsSecondPerson].some(
    (known) => error instanceof known,
  );
  if (isExplained) return (error as Error).message;
  const reason = describeCause(error);
  // askTemporal reports missing answers of Temporal as Refused, so this error comes from the database.
  return isTransient(error)
    ? `The database does not answer (${reason}): check DATABASE_URL and the server, then repeat the command.`
    : `Failed: ${reason}. Check the environment against docs/configuration.md; if it is correct, this is a defect of this program.`;
}

/** The first line of the innermost error: the outer ones repeat queries with their parameters. */
function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return describeCause(error.cause);
  const [line = ''] = error.message.split('\n');
  return line || (errorCode(error) ?? error.name);
}

function nameOf(command: OperatorCommand): string {
  return Object.entries(commands).find(([, known]) => known === command)![0];
}
