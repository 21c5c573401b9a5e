import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copySource, takeOut } from './source-copy.ts';
import type { Replacement } from './source-copy.ts';

/** A protection that can be removed, to show that the run notices. */
export interface Sabotage {
  /** What the protection is for, and which fault it protects from. */
  readonly why: string;
  readonly replacements: readonly Replacement[];
}

/** The protections, by name. */
export const sabotages = {
  'inquiry-before-repeat': {
    why: 'An attempt whose answer is lost is repeated without an inquiry about its outcome.',
    replacements: [
      {
        file: 'database/ledger.ts',
        text: 'if (latest && isOpen(latest)) return waitForCallback(locked, latest);',
        by: "if (latest && isOpen(latest)) await decide(locked, latest, { state: 'ABSENT', outcome: null }, 'INQUIRY');",
      },
      {
        // An account whose answers are always lost is registered repeatedly until then.
        file: 'development/fault-injection/policy.ts',
        text: 'reviewAfter: 300 * second',
        by: 'reviewAfter: 30 * second',
      },
    ],
  },
  'evidence-gate': {
    why: 'An account is registered although its recording is unavailable.',
    replacements: [
      {
        file: 'activities/consent-evidence.ts',
        text: 'const recording = await fetchRecording({ reference: registrationNumber, attempt, callId });',
        by: 'const recording = await fetchRecording({ reference: registrationNumber, attempt, callId }).catch(() => undefined);\n      if (!recording) return await stores.ledger.recordEvidence(registrationNumber);',
      },
      {
        file: 'database/ledger.ts',
        text: 'if (!(await hasEvidence(locked))) {',
        by: 'if (!(await hasEvidence(locked)) && attempts.length > 99) {',
      },
      {
        file: 'activities/payment-gateway-registration.ts',
        text: "if (claim.claim !== 'SEND' || !evidence) return claim;",
        by: "if (claim.claim !== 'SEND') return claim;",
      },
      {
        file: 'activities/payment-gateway-registration.ts',
        text: 'requestOf(registration, evidence, sendBy)',
        by: "requestOf(registration, evidence ?? { callId: 'unknown', sha256: 'none' }, sendBy)",
      },
    ],
  },
  'callback-dedupe': {
    why: 'A callback counts repeatedly, and even if it is for another registration of the member.',
    replacements: [
      {
        file: 'database/ledger.ts',
        text: 'if (!isOpen(call)) return await contradict(locked, call, outcome);',
        by: '',
      },
      {
        file: 'database/ledger.ts',
        text: 'if (!mayDecide || locked.row.endedAt) {',
        by: 'if (!mayDecide && locked.row.registrationNumber === "") {',
      },
    ],
  },
} as const satisfies Record<string, Sabotage>;

/** The name of a sabotage. */
export type SabotageName = keyof typeof sabotages;

/**
 * Makes a copy of this clone's source without one protection, and runs the same command line there.
 * @returns the exit code
 */
export async function runWithout(
  name: SabotageName,
  commandLine: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'chaos-without-'));
  try {
    await copySource(directory);
    takeOut(directory, sabotages[name].replacements);
    const preloads = ['--import', 'tsx', '--import', './development/sandbox/exit-with-parent.mjs'];
    const copy = spawn(
      process.execPath,
      [...preloads, join('development', 'fault-injection', 'main.ts'), ...commandLine],
      {
        cwd: directory,
        stdio: ['pipe', 'inherit', 'inherit'],
      },
    );
    signal.addEventListener('abort', () => copy.kill('SIGTERM'), { once: true });
    const [code] = (await once(copy, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
