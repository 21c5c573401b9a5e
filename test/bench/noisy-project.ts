import { setTimeout as delay } from 'node:timers/promises';
import { startSeparateService } from '../fixtures/separate-service.ts';
import { call } from '../fixtures/wire-client.ts';

/** How long the quiet project's requests are measured in each situation, one after the other, in ms. */
const duration = 10_000;
/** How many requests the noisy project has under way at any time. */
const noise = 100;
const [none, rate] = ['1000000', '20'];
const situations = [
  { name: 'without limits', perSecond: none, burst: none, concurrent: none },
  { name: 'ten at a time', perSecond: none, burst: none, concurrent: '10' },
  { name: `ten at a time, ${rate} a second`, perSecond: rate, burst: rate, concurrent: '10' },
];

print(`The quiet project's latency while the noisy one has ${noise} requests under way, in ms`);
print(`${''.padEnd(30)} ${'alone'.padStart(18)} ${'beside noise'.padStart(18)}  ratio of medians`);
for (const { name, perSecond, burst, concurrent } of situations) {
  const service = await startSeparateService(() => {}, {
    REQUESTS_PER_SECOND: perSecond,
    REQUEST_BURST: burst,
    CONCURRENT_REQUESTS: concurrent,
  });
  try {
    const [noisy, quiet] = service.projects;
    const ask = () => call(service.url, quiet, '/ars/register/list', {});
    await latencies(ask);
    const alone = await latencies(ask);
    const over = new AbortController();
    const makeNoise = async () => {
      while (!over.signal.aborted) {
        const { status, headers } = await call(service.url, noisy, '/ars/register/list', { limit: 100 });
        if (status === 429) await delay(Number(headers.get('retry-after')) * 1_000);
      }
    };
    const noises = Array.from({ length: noise }, makeNoise);
    // What the first burst made wait is done by then.
    await latencies(ask);
    const beside = await latencies(ask);
    over.abort();
    await Promise.all(noises);
    const ratio = median(beside) / median(alone);
    print(`${name.padEnd(30)} ${shown(alone)} ${shown(beside)}  ${ratio.toFixed(1)}`);
  } finally {
    await service.stop();
  }
}

async function latencies(ask: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + duration;
  while (performance.now() < end) {
    const from = performance.now();
    await ask();
    times.push(performance.now() - from);
    await delay(20);
  }
  return times.toSorted((a, b) => a - b);
}

function median(times: readonly number[]): number {
  return times[Math.floor(times.length / 2)]!;
}

function shown(times: readonly number[]): string {
  const slow = times[Math.floor(times.length * 0.95)]!;
  return `${median(times).toFixed(1)} (p95 ${slow.toFixed(0)})`.padStart(18);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
