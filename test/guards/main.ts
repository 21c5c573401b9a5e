import { exampleOf, reportFailure, splitArguments, UsageError } from '../../command-line/command-line.ts';
import { stopSignals } from '../../development/sandbox/stop-signals.ts';
import type { Guard } from './guard.ts';
import { guards } from './guards.ts';
import { prove } from './prove.ts';

const options = { only: { type: 'string', example: '<guard>…' } } as const;
const usage = exampleOf('npm run guards --', { required: [], optional: ['only'] }, options);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const signals = stopSignals();
const exitCode = await main(process.argv.slice(2)).catch((error: unknown) =>
  reportFailure(error, usage, (line) => process.stderr.write(`${line}\n`)),
);
signals.release();
process.exit(exitCode);

/** @returns the exit code */
async function main(commandLine: string[]): Promise<number> {
  const chosen = chooseGuards(commandLine);
  if (!process.env['DATABASE_URL']) {
    print(
      'Set DATABASE_URL to a PostgreSQL database, or run .ci/run, which starts one: some guards need transactions side by side.',
    );
    return 1;
  }
  let proven = 0;
  let unproven = 0;
  await prove(
    chosen,
    print,
    ({ guard, trouble, assertions, durationMs }) => {
      if (trouble === undefined) proven++;
      else unproven++;
      const progress = `${proven + unproven}/${chosen.length}`.padStart(7);
      const seconds = `${(durationMs / 1_000).toFixed(1)} s`.padStart(8);
      print(`${progress} ${seconds}  ${trouble === undefined ? 'proven  ' : 'UNPROVEN'}  ${guard}`);
      print((trouble ?? [...new Set(assertions)].join('\n')).replace(/^/gm, '    '));
    },
    signals.stop,
  );
  print(`guards: ${proven} proven, ${unproven} unproven`);
  return unproven > 0 ? 1 : 0;
}

/** @throws {UsageError} for an unknown option or guard */
function chooseGuards(commandLine: string[]): readonly Guard[] {
  const { words, values } = splitArguments(commandLine, options);
  const names = values.only === undefined ? words : [values.only, ...words];
  if (names.length === 0) return guards;
  const chosen = guards.filter(({ name }) => names.includes(name));
  if (values.only !== undefined && chosen.length === new Set(names).size) return chosen;
  throw new UsageError(`The guards are ${guards.map(({ name }) => name).join(', ')}.`);
}
