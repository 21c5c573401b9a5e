import { randomInt } from 'node:crypto';
import { exampleOf, readNumber, splitArguments, UsageError } from '../../command-line/command-line.ts';
import { sabotages } from './sabotage.ts';
import type { SabotageName } from './sabotage.ts';

const options = {
  seed: { type: 'string', example: '<0 to 4294967295>' },
  registrations: { type: 'string', example: '<1 to 9999, default 300>' },
  without: { type: 'string', example: Object.keys(sabotages).join(' | ') },
} as const;

/** How the run is called. */
export const usage = exampleOf(
  'npm run chaos --',
  { required: [], optional: ['seed', 'registrations', 'without'] },
  options,
);

/** The options of a run. */
export interface ChaosArguments {
  readonly seed: number;
  readonly registrations: number;
  /** The protection to be taken out of the service. */
  readonly without: SabotageName | undefined;
}

/** Reads the command line. @throws {UsageError} for an unknown option, or a value out of range */
export function readArguments(commandLine: readonly string[]): ChaosArguments {
  const { words, values } = splitArguments(commandLine, options);
  const { seed, registrations, without } = values;
  if (words.length > 0) throw new UsageError(`Unexpected argument "${words.join(' ')}".`);
  if (without !== undefined && !isSabotage(without)) {
    throw new UsageError(`There is no protection "${without}".`);
  }
  return {
    seed: readNumber('seed', seed, 0, 4_294_967_295) ?? randomInt(2 ** 32),
    registrations: readNumber('registrations', registrations, 1, 9_999) ?? 300,
    without,
  };
}

function isSabotage(name: string): name is SabotageName {
  return Object.hasOwn(sabotages, name);
}
