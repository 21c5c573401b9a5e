import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { sabotages } from './sabotage.ts';
import type { SabotageName } from './sabotage.ts';

const usage =
  'npm run chaos -- [--seed <0 to 4294967295>] [--registrations <1 to 9999, default 300>]\n' +
  `                 [--without ${Object.keys(sabotages).join(' | ')}]`;

/** The command line cannot be carried out as it was written. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(trouble: string) {
    super(`${trouble}\n${usage}`);
  }
}

/** What a run is asked to do. */
export interface ChaosArguments {
  readonly seed: number;
  readonly registrations: number;
  /** The protection to be taken out of the service. */
  readonly without: SabotageName | undefined;
}

/** Reads the command line. @throws {UsageError} telling what is wrong with it */
export function readArguments(words: string[]): ChaosArguments {
  const { seed, registrations, without } = parse(words);
  if (without !== undefined && !isSabotage(without)) {
    throw new UsageError(`There is no protection "${without}".`);
  }
  return {
    seed: readNumber('seed', seed, 0, 4_294_967_295) ?? randomInt(2 ** 32),
    registrations: readNumber('registrations', registrations, 1, 9_999) ?? 300,
    without,
  };
}

function parse(words: string[]) {
  try {
    const options = {
      seed: { type: 'string' },
      registrations: { type: 'string' },
      without: { type: 'string' },
    } as const;
    return parseArgs({ args: words, options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readNumber(name: string, text: string | undefined, low: number, high: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw new UsageError(`--${name} must be a number from ${low} to ${high}; it is "${text}".`);
}

function isSabotage(name: string): name is SabotageName {
  return Object.hasOwn(sabotages, name);
}
