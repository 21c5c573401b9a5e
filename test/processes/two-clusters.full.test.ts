import { expect, inject, it, onTestFinished } from 'vitest';
import { memberWorkflowId } from '../../contract/registration.ts';
import { sweep } from '../../runs/sweep.ts';
import { ringing } from '../fixtures/members-of-stack.ts';
import { startTestTemporal } from '../fixtures/temporal-server.ts';
import { patientPolicy } from './patient-policy.ts';
import { expectRegisteredOnce, startRealParts } from './real-parts.ts';
import * as many from './registrations.ts';

const databaseUrl = process.env['DATABASE_URL'];

/** A request may take long while everything runs on one machine. */
const policy = { ...patientPolicy, effects: { ...patientPolicy.effects, sendLimit: 5_000 } };

it.runIf(databaseUrl)(
  'two Temporal clusters with their workers at once ring and register each number once',
  { timeout: 240_000 },
  async () => {
    const parts = await startRealParts(databaseUrl!, inject('workflowBundle'), policy);
    const { url, simulatorUrl, projects, register, untilRinging, pickUp } = parts;
    const [project] = projects;
    await parts.startWorker();
    const another = await startTestTemporal();
    onTestFinished(() => another.stop());
    await parts.startWorker(another.address);
    const other = await parts.startApi({ policy }, another.address);

    const ringingOnes = [await register(ringing), await register(ringing), await register(ringing)];
    for (const started of ringingOnes) await untilRinging(started);
    const accepted = await many.registerMany(url, project, 10, 20);
    const runsOf = (userId: string) =>
      [parts.temporal, other.temporal].map(({ workflow }) => workflow.getHandle(memberWorkflowId(userId)));
    const allRunning = async () => {
      // The runs of the other cluster are heard of, and the sweep passes over rows that are locked.
      await other.stores.registrations.makeOverdue();
      await sweep(other);
      const runs = ringingOnes.flatMap(({ userId }) => runsOf(userId));
      return await Promise.all(runs.map(async (run) => (await run.describe()).status.name));
    };
    await expect.poll(allRunning, { timeout: 30_000 }).toEqual(Array(6).fill('RUNNING'));
    accepted.push(...(await many.registerMany(other.url, project, 40, 10)));

    for (const started of ringingOnes) await pickUp(started);
    for (const started of ringingOnes) await expectRegisteredOnce(parts, started);
    await many.expectRegisteredOnce(url, simulatorUrl, project, accepted);
    const end = { status: 'BANK_ACC_REGISTERED', resultCode: '000_000' };
    for (const { userId } of ringingOnes)
      for (const run of runsOf(userId)) expect(await run.result()).toEqual(end);
  },
);
