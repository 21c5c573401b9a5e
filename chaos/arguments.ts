import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

const usage = 'npm run chaos -- [--seed <0 to 4294967295>] [--registrations <1 to 9999, default 300>]';

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
}

/** Reads the command line. @throws {UsageError} telling what is wrong with it */
export function readArguments(words: string[]): ChaosArguments {
  const { seed, registrations } = parse(words);
  return {
    seed: readNumber('seed', seed, 0, 4_294_967_295) ?? randomInt(2 ** 32),
    registrations: readNumber('registrations', registrations, 1, 9_999) ?? 300,
  };
}

function parse(words: string[]) {
  try {
    const options = { seed: { type: 'string' }, registrations: { type: 'string' } } as const;
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
