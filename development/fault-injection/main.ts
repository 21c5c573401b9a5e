import { reportFailure } from '../../command-line/command-line.ts';
import { stopSignals } from '../sandbox/stop-signals.ts';
import { readArguments, usage } from './arguments.ts';
import { createPlan } from './plan.ts';
import { summaryLine } from './report.ts';
import { runPlan } from './run-plan.ts';
import { runWithout, sabotages } from './sabotage.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const signals = stopSignals();
const exitCode = await main(process.argv.slice(2)).catch((error: unknown) =>
  reportFailure(error, usage, (line) => process.stderr.write(`${line}\n`)),
);
signals.release();
// An explicit exit, because Node 20.20 was once seen in an endless loop while it closed its last handles.
process.exit(exitCode);

/** @returns the exit code */
async function main(words: string[]): Promise<number> {
  const { seed, registrations, without } = readArguments(words);
  const numbers = ['--seed', String(seed), '--registrations', String(registrations)];
  if (without) {
    print(`without ${without}: ${sabotages[without].why}`);
    return await runWithout(without, numbers, signals.stop);
  }
  const verdicts = await runPlan(createPlan(seed, registrations), print, signals.stop);
  print(`\nRepeat this plan: npm run chaos -- ${numbers.join(' ')}`);
  print(summaryLine(verdicts));
  return verdicts.every(({ broken }) => broken.length === 0) ? 0 : 1;
}
