import { setTimeout as delay } from 'node:timers/promises';
import { startFaults } from './faults.ts';
import { checkInvariants } from './invariants.ts';
import type { Verdict } from './invariants.ts';
import { openObserver } from './observer.ts';
import { digestOf } from './plan.ts';
import type { Plan } from './plan.ts';
import { countsTable, verdictTable } from './report.ts';
import { createServiceProvider, hasEnded } from './service-provider.ts';
import type { ServiceProvider } from './service-provider.ts';
import { startSystemUnderTest } from './system-under-test.ts';
import type { SystemUnderTest } from './system-under-test.ts';

/** How long the service may take to become idle after the last fault, in ms. */
const idleTimeoutMs = 150_000;

const progressIntervalMs = 5_000;

/**
 * Starts a service, runs a plan against it and checks the invariants.
 * @returns the verdict on each invariant
 * @throws {Error} when the run cannot be made, or `signal` aborts
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
  const system = await startSystemUnderTest(plan, timed, signal);
  let hasHeld = false;
  try {
    const verdicts = await Promise.race([execute(plan, system, timed, print), untilAborted(signal)]);
    hasHeld = verdicts.every(({ broken }) => broken.length === 0);
    return verdicts;
  } finally {
    if (!hasHeld) print(`State and logs are kept in ${system.directory}`);
    await system.close(!hasHeld);
  }
}

async function execute(
  plan: Plan,
  system: SystemUnderTest,
  timed: (line: string) => void,
  print: (line: string) => void,
): Promise<Verdict[]> {
  const { processes, callbackProxy, notificationReceiver } = system;
  const serviceProvider = createServiceProvider(system);
  const faults = startFaults(plan.faults, system, timed);
  const progress = setInterval(() => timed(describeProgress(serviceProvider)), progressIntervalMs);
  try {
    await serviceProvider.runAll(plan.members, (requested) => faults.onRegistration(requested));
    await faults.waitUntilOver();
    callbackProxy.disableFaults();
    notificationReceiver.disableFaults();
    await Promise.all(Object.values(processes).map((process) => process.waitUntilRunning()));
  } finally {
    clearInterval(progress);
  }
  timed(`${describeProgress(serviceProvider)}; the faults are over`);

  const observer = await openObserver(system, plan);
  try {
    await waitUntilIdle(observer, timed);
    await serviceProvider.inquireAll();
    const observations = await observer.observe(serviceProvider);
    const verdicts = checkInvariants(observations);
    timed('all invariants checked');
    print('');
    for (const line of countsTable(observations, system, faults.counts)) print(line);
    print('');
    for (const line of verdictTable(verdicts)) print(line);
    return verdicts;
  } finally {
    await observer.close();
  }
}

async function waitUntilIdle(
  observer: Awaited<ReturnType<typeof openObserver>>,
  timed: (line: string) => void,
): Promise<void> {
  const deadline = Date.now() + idleTimeoutMs;
  for (let last = ''; ; await delay(1_000)) {
    const unfinished = (await observer.findPendingWork()).join(', ');
    if (unfinished === '') return;
    if (unfinished !== last) timed(`waiting for ${unfinished}`);
    last = unfinished;
    if (Date.now() > deadline) return timed(`not idle within ${idleTimeoutMs / 1_000} s`);
  }
}

function describeProgress({ journal }: ServiceProvider): string {
  const ended = [...journal.statuses.keys()].filter((number) => hasEnded(journal, number)).length;
  return `${journal.registrationsRequested} registrations requested, ${ended} of ${journal.statuses.size} numbers ended`;
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    const fail = (): void => reject(new Error('Stopped.', { cause: signal.reason }));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
