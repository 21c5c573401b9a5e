import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copySource, takeOut } from '../../development/fault-injection/source-copy.ts';
import { startShared, writeWorkflowBundle } from '../global-setup.ts';
import type { Shared } from '../global-setup.ts';
import type { Guard, NamedTest } from './guard.ts';
import { runTests } from './run-tests.ts';
import type { Outcome } from './run-tests.ts';

/** How many guards are tried at once, each in a copy of its own. */
const workers = 2;

/** How long the tests of one guard may take without it, in ms. */
const guardDeadline = 180_000;

/** What the workflow bundle is made of; a guard that changes nothing there can have that of the unchanged source. */
const bundled = /^(?:workflows|contract|wire|encryption)\//;

/** Whether a guard is proven, or why not. */
export interface Verdict {
  readonly guard: string;
  readonly trouble: string | undefined;
  /** The first line of each assertion that failed without the guard. */
  readonly assertions: readonly string[];
  readonly durationMs: number;
}

/**
 * Runs the tests of all guards on the unchanged source, then those of each guard without it.
 * @param onVerdict called as soon as a guard has been tried
 */
export async function prove(
  guards: readonly Guard[],
  print: (line: string) => void,
  onVerdict: (verdict: Verdict) => void,
  signal: AbortSignal,
): Promise<void> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'guards-')));
  const { shared, stop } = await startShared();
  try {
    const withBundle = { ...shared, workflowBundle: await writeWorkflowBundle(directory) };
    const copies = Array.from({ length: workers }, (_, index) => join(directory, `copy-${index}`));
    for (const copy of copies) await copySource(copy);

    const tests = distinct(guards.flatMap((guard) => guard.tests));
    print(`${tests.length} tests on the unchanged source`);
    const options = { directory: copies[0]!, environment: environmentOf(withBundle), signal, onLine: print };
    const outcomes = await runTests(tests, options);
    const unchanged = new Map(tests.map((test, index) => [keyOf(test), outcomes[index]!]));

    const waiting = [...guards];
    const work = async (copy: string): Promise<void> => {
      for (let guard = waiting.shift(); guard && !signal.aborted; guard = waiting.shift()) {
        const startedAt = Date.now();
        const changesBundle = guard.replacements.some(({ file }) => bundled.test(file));
        const environment = environmentOf(changesBundle ? shared : withBundle);
        const troubleBefore = troubleUnchanged(guard, unchanged);
        const result =
          troubleBefore === undefined
            ? await tryWithout(guard, copy, environment, signal)
            : { trouble: troubleBefore, assertions: [] };
        onVerdict({ guard: guard.name, ...result, durationMs: Date.now() - startedAt });
      }
    };
    await Promise.all(copies.map(work));
    if (signal.aborted) throw new Error('Stopped.');
  } finally {
    await stop();
    await rm(directory, { recursive: true, force: true });
  }
}

const environmentOf = (shared: Shared) => ({ SHARED_TEST_SETUP: JSON.stringify(shared), NO_COLOR: '1' });

function troubleUnchanged({ tests }: Guard, outcomes: ReadonlyMap<string, Outcome>): string | undefined {
  for (const test of tests) {
    const { state, message } = outcomes.get(keyOf(test))!;
    if (state !== 'passed') return `${test.name}: ${state} on the unchanged source: ${message}`;
  }
  return undefined;
}

async function tryWithout(
  guard: Guard,
  directory: string,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Pick<Verdict, 'trouble' | 'assertions'>> {
  let putBack: () => void;
  try {
    putBack = takeOut(directory, guard.replacements);
  } catch (error) {
    return { trouble: (error as Error).message, assertions: [] };
  }
  try {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(guardDeadline)]);
    const outcomes = await runTests(guard.tests, { directory, environment, signal: deadline });
    const trouble = outcomes
      .map((outcome, index) => troubleWithout(guard, guard.tests[index]!, outcome))
      .find((text) => text !== undefined);
    return { trouble, assertions: outcomes.map(({ message }) => message.split('\n')[0]!) };
  } finally {
    putBack();
  }
}

function troubleWithout({ failure }: Guard, test: NamedTest, outcome: Outcome): string | undefined {
  const { state, isAssertion, message } = outcome;
  if (state === 'passed') return `${test.name}: passes without the protection`;
  if (state === 'did not run') return `${test.name}: did not run: ${message}`;
  // A test that ran out of time, or could not be set up, proves nothing.
  if (!isAssertion) return `${test.name}: failed by no assertion: ${message}`;
  if (!failure.test(message)) return `${test.name}: failed, but not by ${failure}: ${message}`;
  return undefined;
}

const keyOf = ({ file, name }: NamedTest): string => `${file} › ${name}`;

function distinct(tests: readonly NamedTest[]): NamedTest[] {
  return [...new Map(tests.map((test) => [keyOf(test), test])).values()];
}
