import type { Replacement } from '../../development/fault-injection/source-copy.ts';

/** A protection, how to take it out, and which test notices. */
export interface Guard {
  /** As in the column "guard" of SECURITY.md or ARCHITECTURE.md. */
  readonly name: string;
  /** What happens without it. */
  readonly protectsFrom: string;
  /** The smallest change of the source that removes the protection. */
  readonly replacements: readonly Replacement[];
  /** The tests that must fail without it. */
  readonly tests: readonly NamedTest[];
  /** Matches the message of the assertion that must fail, in each of the tests. */
  readonly failure: RegExp;
}

/** A test, by its file from the project's directory and its name as vitest lists it: `block > test`. */
export interface NamedTest {
  readonly file: string;
  readonly name: string;
}

/** In a file, the text that occurs there exactly once, and what replaces it. */
export const change = (file: string, text: string, by: string): Replacement => ({ file, text, by });

/** A test by file and name. */
export const test = (file: string, name: string): NamedTest => ({ file, name });
