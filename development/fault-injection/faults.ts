import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, LostAnswer, PlannedFault } from './plan.ts';
import type { SystemUnderTest } from './system-under-test.ts';

/** Injects each planned fault once enough registrations have been requested. */
export function startFaults(
  planned: readonly PlannedFault[],
  system: SystemUnderTest,
  print: (line: string) => void,
) {
  const injections: Promise<void>[] = [];
  /** A restore of the database has the service to itself, as an operator would make sure. */
  let restore: Promise<void> = Promise.resolve();
  const counts = new Map<string, number>();
  let next = 0;

  async function injectOne({ delayMs, fault }: PlannedFault): Promise<void> {
    await delay(delayMs);
    print(`  fault: ${describeFault(fault)}`);
    const hadEffect = await injectUntilEffective(() => inject(fault, system));
    const kind =
      fault.kind === 'RUN'
        ? fault.act
        : fault.kind === 'LOSE_ANSWERS'
          ? `${fault.kind} ${fault.to}`
          : fault.kind;
    const key = hadEffect ? kind : `${kind} without effect`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }

  return {
    /** The number of faults by kind. Faults without effect are counted separately. */
    counts: counts as ReadonlyMap<string, number>,
    /** Call it with the number of registrations requested so far. */
    onRegistration(requested: number): void {
      for (; next < planned.length && planned[next]!.afterRegistrations <= requested; next++) {
        const one = planned[next]!;
        const isRestore = one.fault.kind === 'RESTORE_DATABASE';
        const before = isRestore ? Promise.all(injections) : restore;
        const injection = before.then(() => injectOne(one));
        if (isRestore) restore = injection;
        injections.push(injection);
      }
    },
    /** Resolves when all injected faults are over. */
    async waitUntilOver(): Promise<void> {
      await Promise.all(injections);
    },
  };
}

/** How long a fault without effect is repeated, in ms. It has none while there is no connection or no commit. */
const repeatTimeoutMs = 15_000;

async function injectUntilEffective(injectOnce: () => Promise<number>): Promise<boolean> {
  const deadline = Date.now() + repeatTimeoutMs;
  do {
    if ((await injectOnce()) > 0) return true;
    await delay(50);
  } while (Date.now() < deadline);
  return false;
}

/** @returns the number of processes or connections affected */
async function inject(
  fault: Fault,
  { processes, proxies, runFaults, emptyTemporal, restoreDatabase }: SystemUnderTest,
): Promise<number> {
  if (fault.kind === 'RUN') return await runFaults.strike(fault.act, fault.choice);
  if (fault.kind === 'EMPTY_TEMPORAL') return await emptyTemporal(fault.downMs);
  if (fault.kind === 'CUT') return proxies[fault.path].cut();
  if (fault.kind === 'REFUSE') return await proxies[fault.path].refuse(fault.durationMs);
  if (fault.kind === 'STALL') return await proxies[fault.path].stall(fault.durationMs);
  if (fault.kind === 'RESTORE_DATABASE') return await restoreDatabase(fault.agoMs);
  if (fault.kind === 'LOSE_ANSWERS')
    return await proxies.database.loseResponsesTo(textsOf[fault.to], fault.durationMs);
  await processes[fault.process].kill(fault.downMs);
  return 1;
}

/** What the messages of PostgreSQL's protocol contain. */
const textsOf: Record<LostAnswer, string> = {
  commit: 'commit\0',
  insert: 'insert into ',
  update: 'update "',
};

function describeFault(fault: Fault): string {
  if (fault.kind === 'KILL') return `kill -9 ${fault.process}, down for ${fault.downMs} ms`;
  if (fault.kind === 'RUN') return `${fault.act} of a run`;
  if (fault.kind === 'EMPTY_TEMPORAL') return `replace Temporal by an empty one, down for ${fault.downMs} ms`;
  if (fault.kind === 'CUT') return `cut the connections to ${fault.path}`;
  if (fault.kind === 'REFUSE') return `refuse connections to ${fault.path} for ${fault.durationMs} ms`;
  if (fault.kind === 'STALL') return `stall the connections to ${fault.path} for ${fault.durationMs} ms`;
  if (fault.kind === 'RESTORE_DATABASE') return `restore the database to ${fault.agoMs} ms ago`;
  return `lose the database’s responses to each ${fault.to} for ${fault.durationMs} ms`;
}
