import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';
import {
  exampleOf,
  readNumber,
  reportFailure,
  splitArguments,
  UsageError,
} from '../../command-line/command-line.ts';
import { startSeparateService } from '../fixtures/separate-service.ts';
import type { Memory, SeparateService } from '../fixtures/separate-service.ts';
import { planted, wireProperties } from './wire-properties.ts';
import type { WireProperty } from './wire-properties.ts';

/** How many runs of each property are in flight at a time. */
const lanes = 4;
/** How often the memory is measured. */
const samples = 40;
/** The measurement ends after this time without a response, in ms. A broken property sends no more requests. */
const silenceTimeoutMs = 60_000;
/** The maximum ratio of the heap in the last quarter to that in the first. */
const maxHeapRatio = 1.2;
/** An internal error, which the service's log must not contain. */
const internalError = '"code":"000_990"';

const options = {
  requests: { type: 'string', example: '<1000 to 100000000, default 100000>' },
  seed: { type: 'string', example: '<0 to 4294967295>' },
} as const;
const usage = exampleOf('npm run fuzz --', { required: [], optional: ['requests', 'seed'] }, options);

let chosen: { readonly requests: number; readonly seed: number };
try {
  chosen = readArguments(process.argv.slice(2));
} catch (error) {
  process.exit(reportFailure(error, usage, (line) => process.stderr.write(`${line}\n`)));
}
const { requests, seed } = chosen;

/** The results of one kind of request. */
interface Tally {
  sent: number;
  readonly statuses: Map<number, number>;
  readonly codes: Set<string>;
  readonly broken: string[];
}

const tallies = new Map<string, Tally>();
const memory: Memory[] = [];
const startedAt = Date.now();
const progress = { sent: 0, at: startedAt };

print(`Starting the service in a separate process: ${requests} requests with seed ${seed}.`);
const service = await startSeparateService(print);
try {
  const memoryWatch = watchMemory(service);
  await Promise.all(createProperties(service).map(checkProperty));
  await memoryWatch;
  report(await findServiceProblems(service));
} finally {
  await service.stop();
}

/** @throws {UsageError} for an unknown option, or a value out of range */
function readArguments(commandLine: string[]) {
  const { words, values } = splitArguments(commandLine, options);
  if (words.length > 0) throw new UsageError(`"${words.join(' ')}" belongs to no option.`);
  return {
    requests: readNumber('requests', values.requests, 1_000, 100_000_000) ?? 100_000,
    // Printed, so that a run can be repeated.
    seed: readNumber('seed', values.seed, 0, 4_294_967_295) ?? randomInt(4_294_967_296),
  };
}

/** The properties, one per kind of request, each with its own tally. */
function createProperties(tried: SeparateService): (WireProperty & { readonly tally: Tally })[] {
  const names = wireProperties(tried).map(({ name }) => name);
  return names.map((name, index) => {
    const tally: Tally = { sent: 0, statuses: new Map(), codes: new Set(), broken: [] };
    tallies.set(name, tally);
    const onAnswer = (status: number, code: string | undefined) => {
      progress.sent++;
      progress.at = Date.now();
      tally.sent++;
      tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
      if (code !== undefined) tally.codes.add(code);
    };
    return { ...wireProperties({ ...tried, onAnswer })[index]!, tally };
  });
}

/** Sends all requests of a kind in several lanes, each with its own seed. */
async function checkProperty({
  share,
  requests: each,
  property,
  tally,
}: WireProperty & { tally: Tally }): Promise<void> {
  const numRuns = Math.ceil((requests * share) / 1_000 / each / lanes);
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      try {
        await fc.assert(property, { seed: (seed + lane) % 4_294_967_296, numRuns });
      } catch (error) {
        tally.broken.push(error instanceof Error ? error.message : String(error));
      }
    }),
  );
}

/** Measures the memory at regular numbers of requests, and reports progress. */
async function watchMemory(tried: SeparateService): Promise<void> {
  progress.at = Date.now();
  for (let sample = 1; sample <= samples; sample++) {
    const due = (requests * sample) / samples;
    while (progress.sent < due && Date.now() - progress.at < silenceTimeoutMs) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    if (progress.sent < due) return;
    const now = await tried.memory();
    memory.push(now);
    const seconds = Math.round((Date.now() - startedAt) / 1_000);
    print(
      `  ${String(progress.sent).padStart(7)} requests, ${seconds} s, heap ${megabytes(now.heapUsed)} MB`,
    );
  }
}

/** Problems of the service as a whole. */
async function findServiceProblems(tried: SeparateService): Promise<string[]> {
  const broken: string[] = [];
  const ratio = heapRatio();
  if (!(ratio <= maxHeapRatio)) broken.push(`The heap grew by a factor of ${ratio.toFixed(2)}.`);
  const unavailable = [...tallies.values()].reduce((sum, { statuses }) => sum + (statuses.get(503) ?? 0), 0);
  if (unavailable > requests / 1_000) broken.push(`${unavailable} requests were answered with 503.`);
  const output = await tried.output();
  const secrets = { ...planted, ...tried.secrets, accessKey: tried.projects[0].accessKey };
  for (const [name, secret] of Object.entries(secrets)) {
    if (output.includes(secret)) broken.push(`The log contains ${name}.`);
  }
  if (output.includes(internalError)) broken.push('The log contains an internal error (000_990).');
  return broken;
}

/** The median heap of the last quarter divided by that of the first. */
function heapRatio(): number {
  const quarter = Math.floor(memory.length / 4);
  const median = (part: readonly Memory[]) =>
    part.map(({ heapUsed }) => heapUsed).toSorted((a, b) => a - b)[Math.floor(part.length / 2)]!;
  return median(memory.slice(-quarter)) / median(memory.slice(0, quarter));
}

function report(serviceProblems: readonly string[]): void {
  print(`\n${'requests'.padStart(9)}  ${'kind'.padEnd(60)} responses by HTTP status`);
  for (const [name, tally] of tallies) {
    const statuses = [...tally.statuses].toSorted(([a], [b]) => a - b);
    const counts = statuses.map(([status, count]) => `${status || 'none'}: ${count}`).join(', ');
    print(`${String(tally.sent).padStart(9)}  ${name.padEnd(60)} ${counts}`);
  }
  const codes = new Set([...tallies.values()].flatMap((tally) => [...tally.codes]));
  print(`\nResult codes seen: ${[...codes].toSorted().join(' ')}`);
  const [first, last] = [memory[0], memory.at(-1)];
  if (first && last) {
    print(
      `Memory after garbage collection, first and last: heap ${megabytes(first.heapUsed)} and ` +
        `${megabytes(last.heapUsed)} MB, outside the heap ${megabytes(first.external)} and ` +
        `${megabytes(last.external)} MB, resident ${megabytes(first.rss)} and ${megabytes(last.rss)} MB; ` +
        `ratio of the heap in the last quarter to the first: ${heapRatio().toFixed(2)}`,
    );
  }
  print(`${Math.round(progress.sent / ((Date.now() - startedAt) / 1_000))} requests per second\n`);
  const broken = [...[...tallies.values()].flatMap((tally) => tally.broken), ...serviceProblems];
  for (const text of broken) print(`BROKEN: ${text}\n`);
  print(`fuzz: ${progress.sent} requests, ${broken.length} broken`);
  process.exitCode = broken.length > 0 ? 1 : 0;
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(0);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
