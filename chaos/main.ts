import { stopSignals } from '../sandbox/stop-signals.ts';
import { UsageError, readArguments } from './arguments.ts';
import type { ChaosArguments } from './arguments.ts';
import { createPlan } from './plan.ts';
import { summaryLine } from './report.ts';
import { runPlan } from './run.ts';
import { runWithout, sabotages } from './sabotage.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const signals = stopSignals();
try {
  process.exitCode = await main(readArguments(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
signals.release();

/** @returns the exit code */
async function main({ seed, registrations, without }: ChaosArguments): Promise<number> {
  const numbers = ['--seed', String(seed), '--registrations', String(registrations)];
  if (without) {
    print(`without ${without}: ${sabotages[without].why}`);
    return await runWithout(without, numbers, signals.stop);
  }
  const verdicts = await runPlan(createPlan(seed, registrations), print, signals.stop);
  print(`\nThe same plan again: npm run chaos -- ${numbers.join(' ')}`);
  print(summaryLine(verdicts));
  return verdicts.every(({ broken }) => broken.length === 0) ? 0 : 1;
}
