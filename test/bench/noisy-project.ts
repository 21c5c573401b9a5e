import { startSeparateService } from '../separate-service.ts';
import { call } from '../wire-client.ts';

/** How many requests of the quiet project are measured in each situation, one after the other. */
const measured = 300;
/** How many requests the noisy project has under way at any time. */
const noise = 300;

const situations = [
  { name: 'with turns (30 requests of a project at a time)', settings: {} },
  { name: 'without turns', settings: { CONCURRENT_REQUESTS: '100000' } },
];

print(`The quiet project's latency while the noisy one keeps ${noise} requests under way, in ms`);
print(`${''.padEnd(50)} ${'alone'.padStart(14)} ${'beside noise'.padStart(14)}  ratio of medians`);
for (const { name, settings } of situations) {
  const service = await startSeparateService(() => {}, settings);
  try {
    const [noisy, quiet] = service.projects;
    const ask = () => call(service.url, quiet, '/ars/register/list', {});
    await latencies(ask);
    const alone = await latencies(ask);
    const over = new AbortController();
    const makeNoise = async () => {
      while (!over.signal.aborted) await call(service.url, noisy, '/ars/register/list', { limit: 100 });
    };
    const noises = Array.from({ length: noise }, makeNoise);
    await latencies(ask, 20);
    const beside = await latencies(ask);
    over.abort();
    await Promise.all(noises);
    const ratio = median(beside) / median(alone);
    print(`${name.padEnd(50)} ${shown(alone)} ${shown(beside)}  ${ratio.toFixed(1)}`);
  } finally {
    await service.stop();
  }
}

async function latencies(ask: () => Promise<unknown>, count = measured): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const from = performance.now();
    await ask();
    times.push(performance.now() - from);
  }
  return times.toSorted((a, b) => a - b);
}

function median(times: readonly number[]): number {
  return times[Math.floor(times.length / 2)]!;
}

function shown(times: readonly number[]): string {
  const slow = times[Math.floor(times.length * 0.95)]!;
  return `${median(times).toFixed(1)} (p95 ${slow.toFixed(0)})`.padStart(14);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
