import { setTimeout as delay } from 'node:timers/promises';
import { startSeparateService } from '../../test/fixtures/separate-service.ts';
import { call } from '../../test/fixtures/wire-client.ts';

/** How long the quiet project's requests are measured in each situation, in ms. They are sent one after the other. */
const durationMs = 10_000;
/** How many requests the noisy project has in flight at any time. */
const noisyRequests = 100;
const [unlimited, requestsPerSecond] = ['1000000', '20'];
const situations = [
  { name: 'no limits', rate: unlimited, concurrent: unlimited },
  { name: '10 concurrent', rate: unlimited, concurrent: '10' },
  { name: `10 concurrent, ${requestsPerSecond} per second`, rate: requestsPerSecond, concurrent: '10' },
];

print(`Latency of the quiet project while the noisy one has ${noisyRequests} requests in flight, in ms`);
print(`${''.padEnd(30)} ${'alone'.padStart(18)} ${'with noise'.padStart(18)}  ratio of medians`);
for (const { name, rate, concurrent } of situations) {
  const service = await startSeparateService(() => {}, {
    REQUESTS_PER_SECOND: rate,
    REQUEST_BURST: rate,
    CONCURRENT_REQUESTS: concurrent,
  });
  try {
    const [noisy, quiet] = service.projects;
    const request = () => call(service.url, quiet, '/ars/register/list', {});
    // The first measurement warms up the service and is discarded.
    await measureLatencies(request);
    const alone = await measureLatencies(request);
    const noiseOver = new AbortController();
    const makeNoise = async () => {
      while (!noiseOver.signal.aborted) {
        const { status, headers } = await call(service.url, noisy, '/ars/register/list', { limit: 100 });
        if (status === 429) await delay(Number(headers.get('retry-after')) * 1_000);
      }
    };
    const noises = Array.from({ length: noisyRequests }, makeNoise);
    // By the end of a discarded measurement the backlog of the first burst is gone.
    await measureLatencies(request);
    const withNoise = await measureLatencies(request);
    noiseOver.abort();
    await Promise.all(noises);
    const ratio = median(withNoise) / median(alone);
    print(`${name.padEnd(30)} ${formatLatencies(alone)} ${formatLatencies(withNoise)}  ${ratio.toFixed(1)}`);
  } finally {
    await service.stop();
  }
}

async function measureLatencies(request: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    const startedAt = performance.now();
    await request();
    times.push(performance.now() - startedAt);
    await delay(20);
  }
  return times.toSorted((a, b) => a - b);
}

function median(times: readonly number[]): number {
  return times[Math.floor(times.length / 2)]!;
}

function formatLatencies(times: readonly number[]): string {
  const percentile95 = times[Math.floor(times.length * 0.95)]!;
  return `${median(times).toFixed(1)} (p95 ${percentile95.toFixed(0)})`.padStart(18);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
