import { runCommandLine } from '../operator/run.ts';
import type { Stack } from './stack.ts';

/** Carries out an operator's command line against the stores and the Temporal server of a stack. */
export async function operate(
  { stores, temporal }: Pick<Stack, 'stores' | 'temporal'>,
  ...words: readonly string[]
) {
  const lines: Record<'output' | 'errors', string[]> = { output: [], errors: [] };
  const exitCode = await runCommandLine(words, {
    print: (line) => lines.output.push(line),
    complain: (line) => lines.errors.push(line),
    openTemporal: () => ({ temporal }),
    openAll: async () => ({ stores, temporal }),
  });
  return { exitCode, output: lines.output.join('\n'), errors: lines.errors.join('\n') };
}
