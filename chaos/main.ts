import { stopSignals } from '../sandbox/stop-signals.ts';
import { UsageError, readArguments } from './arguments.ts';
import { createPlan } from './plan.ts';
import { summaryLine } from './report.ts';
import { runPlan } from './run.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const signals = stopSignals();
try {
  const { seed, registrations } = readArguments(process.argv.slice(2));
  const verdicts = await runPlan(createPlan(seed, registrations), print, signals.stop);
  print(`\nThe same plan again: npm run chaos -- --seed ${seed} --registrations ${registrations}`);
  print(summaryLine(verdicts));
  process.exitCode = verdicts.every(({ broken }) => broken.length === 0) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
signals.release();
