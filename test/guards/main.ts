import { stopSignals } from '../../development/sandbox/stop-signals.ts';
import { guards } from './guards.ts';
import { prove } from './prove.ts';

const usage = 'npm run guards -- [--only <guard>…]';
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const signals = stopSignals();
const exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
signals.release();
process.exit(exitCode);

/** @returns the exit code */
async function main([option, ...names]: string[]): Promise<number> {
  const chosen = option === '--only' ? guards.filter(({ name }) => names.includes(name)) : guards;
  const unknown = names.filter((name) => !guards.some((guard) => guard.name === name));
  if ((option !== undefined && option !== '--only') || unknown.length > 0 || chosen.length === 0) {
    print(`${usage}\nGuards: ${guards.map(({ name }) => name).join(', ')}`);
    return 2;
  }
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
