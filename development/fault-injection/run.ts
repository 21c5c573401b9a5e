import { setTimeout as delay } from 'node:timers/promises';
import { startFaults } from './faults.ts';
import { checkInvariants } from './invariants.ts';
import type { Verdict } from './invariants.ts';
import { openObservatory } from './observations.ts';
import { digestOf } from './plan.ts';
import type { Plan } from './plan.ts';
import { countsTable, verdictTable } from './report.ts';
import { createServiceProvider, hasEnded } from './service-provider.ts';
import type { ServiceProvider } from './service-provider.ts';
import { startSurroundings } from './surroundings.ts';
import type { Surroundings } from './surroundings.ts';

/** How long the service may take to come to rest after the last fault, in ms. */
const restDeadline = 150_000;

const progressInterval = 5_000;

/**
 * Runs a plan against a service of its own, and looks whether everything held.
 * @returns the verdict on each invariant
 * @throws {Error} when the run itself cannot be made, or `signal` aborts
 */
export async function runPlan(
  plan: Plan,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<Verdict[]> {
  const registrations = plan.members.flat().filter(({ kind }) => kind === 'REGISTER').length;
  print(
    `seed ${plan.seed}: ${registrations} registrations of ${plan.members.length} members, ${plan.faults.length} faults, ` +
      `plan ${digestOf(plan)}`,
  );
  const startedAt = Date.now();
  const timed = (line: string): void =>
    print(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  const surroundings = await startSurroundings(plan, timed, signal);
  let hasHeld = false;
  try {
    const verdicts = await Promise.race([act(plan, surroundings, timed, print), aborted(signal)]);
    hasHeld = verdicts.every(({ broken }) => broken.length === 0);
    return verdicts;
  } finally {
    if (!hasHeld) print(`State and logs are kept in ${surroundings.directory}`);
    await surroundings.close(!hasHeld);
  }
}

async function act(
  plan: Plan,
  surroundings: Surroundings,
  timed: (line: string) => void,
  print: (line: string) => void,
): Promise<Verdict[]> {
  const { processes, callbackPath, notificationReceiver } = surroundings;
  const serviceProvider = createServiceProvider(surroundings);
  const faults = startFaults(plan.faults, surroundings, timed);
  const progress = setInterval(() => timed(describe(serviceProvider)), progressInterval);
  try {
    await serviceProvider.serveAll(plan.members, (begun) => faults.onRegistration(begun));
    await faults.over();
    callbackPath.calm();
    notificationReceiver.calm();
    await Promise.all(Object.values(processes).map((process) => process.up()));
  } finally {
    clearInterval(progress);
  }
  timed(`${describe(serviceProvider)}; the faults are over`);

  const observatory = await openObservatory(surroundings, plan);
  try {
    await untilAtRest(observatory, timed);
    await serviceProvider.lookAtAll();
    const observations = await observatory.observe(serviceProvider);
    const verdicts = checkInvariants(observations);
    timed('looked at everything');
    print('');
    for (const line of countsTable(observations, surroundings, faults.counts)) print(line);
    print('');
    for (const line of verdictTable(verdicts)) print(line);
    return verdicts;
  } finally {
    await observatory.close();
  }
}

async function untilAtRest(
  observatory: Awaited<ReturnType<typeof openObservatory>>,
  timed: (line: string) => void,
): Promise<void> {
  const deadline = Date.now() + restDeadline;
  for (let last = ''; ; await delay(1_000)) {
    const unfinished = (await observatory.findUnfinished()).join(', ');
    if (unfinished === '') return;
    if (unfinished !== last) timed(`waiting for ${unfinished}`);
    last = unfinished;
    if (Date.now() > deadline) return timed(`did not come to rest within ${restDeadline / 1_000} s`);
  }
}

function describe({ journal }: ServiceProvider): string {
  const ended = [...journal.sightings.keys()].filter((number) => hasEnded(journal, number)).length;
  return `${journal.registrationsBegun} registrations begun, ${ended} of ${journal.sightings.size} numbers ended`;
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    const fail = (): void => reject(new Error('Stopped.', { cause: signal.reason }));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
