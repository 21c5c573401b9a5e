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
    done.set(fault.kind, (done.get(fault.kind) ?? 0) + 1);
    await inflict(fault, surroundings);
  }

  return {
    /** How many faults of which kind were done. */
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

async function inflict(fault: Fault, { processes, proxies }: Surroundings): Promise<void> {
  if (fault.kind === 'KILL') await processes[fault.process].kill(fault.downFor);
  else if (fault.kind === 'CUT') proxies[fault.path].cut();
  else if (fault.kind === 'REFUSE') await proxies[fault.path].refuse(fault.lasts);
  else if (fault.kind === 'STALL') await proxies[fault.path].stall(fault.lasts);
  else await proxies.database.loseAnswersTo('commit\0', fault.lasts);
}

function describe(fault: Fault): string {
  if (fault.kind === 'KILL') return `kill -9 ${fault.process}, down for ${fault.downFor} ms`;
  if (fault.kind === 'CUT') return `cut the connections to ${fault.path}`;
  if (fault.kind === 'REFUSE') return `refuse connections to ${fault.path} for ${fault.lasts} ms`;
  if (fault.kind === 'STALL') return `stall the connections to ${fault.path} for ${fault.lasts} ms`;
  return `lose the database’s answers to commits for ${fault.lasts} ms`;
}
