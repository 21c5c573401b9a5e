import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, PlannedFault } from './plan.ts';
import type { Surroundings } from './surroundings.ts';

/** Does what the plan has against the service, when enough registrations have been asked for. */
export function startFaults(
  planned: readonly PlannedFault[],
  surroundings: Surroundings,
  print: (line: string) => void,
) {
  const underWay: Promise<void>[] = [];
  const done = new Map<string, number>();
  let next = 0;

  async function carryOut({ delay: wait, fault }: PlannedFault): Promise<void> {
    await delay(wait);
    print(`  fault: ${describe(fault)}`);
    const hasStruck = await untilItStrikes(() => inflict(fault, surroundings));
    const what = hasStruck ? fault.kind : `${fault.kind} without effect`;
    done.set(what, (done.get(what) ?? 0) + 1);
  }

  return {
    /** How many faults of which kind were done, those that struck nothing apart. */
    counts: done as ReadonlyMap<string, number>,
    /** To be told how many registrations have been asked for so far. */
    onRegistration(begun: number): void {
      for (; next < planned.length && planned[next]!.afterRegistrations <= begun; next++) {
        underWay.push(carryOut(planned[next]!));
      }
    },
    /** Resolves when all faults that have begun are over. */
    async over(): Promise<void> {
      await Promise.all(underWay);
    },
  };
}

/** How long a fault is inflicted anew, in ms, while there is nothing for it to strike: no connection, no commit. */
const patience = 15_000;

async function untilItStrikes(inflictOnce: () => Promise<number>): Promise<boolean> {
  const deadline = Date.now() + patience;
  do {
    if ((await inflictOnce()) > 0) return true;
    await delay(50);
  } while (Date.now() < deadline);
  return false;
}

/** @returns how many processes or connections it struck */
async function inflict(fault: Fault, { processes, proxies }: Surroundings): Promise<number> {
  if (fault.kind === 'CUT') return proxies[fault.path].cut();
  if (fault.kind === 'REFUSE') return await proxies[fault.path].refuse(fault.lasts);
  if (fault.kind === 'STALL') return await proxies[fault.path].stall(fault.lasts);
  if (fault.kind === 'LOSE_COMMITS') return await proxies.database.loseAnswersTo('commit\0', fault.lasts);
  await processes[fault.process].kill(fault.downFor);
  return 1;
}

function describe(fault: Fault): string {
  if (fault.kind === 'KILL') return `kill -9 ${fault.process}, down for ${fault.downFor} ms`;
  if (fault.kind === 'CUT') return `cut the connections to ${fault.path}`;
  if (fault.kind === 'REFUSE') return `refuse connections to ${fault.path} for ${fault.lasts} ms`;
  if (fault.kind === 'STALL') return `stall the connections to ${fault.path} for ${fault.lasts} ms`;
  return `lose the database’s answers to commits for ${fault.lasts} ms`;
}
