import { describe, expect, inject, it, vi } from 'vitest';
import type { Started } from '../fixtures/members-of-stack.ts';
import { operate } from '../fixtures/operate.ts';
import { expectRegisteredOnce, startRealParts } from './real-parts.ts';
import type { RealParts } from './real-parts.ts';

const databaseUrl = process.env['DATABASE_URL'];
const timeout = 120_000;

/** Whether a transaction enters an effect of this kind as sent. */
const enters = (kind: 'ARS_CALL' | 'REGISTRATION') => (transaction: string) =>
  transaction.includes('insert into "effects"') && transaction.includes(kind);

const [calls, registrations] = ['/v1/ars-calls', '/v1/registrations'];

/** Waits until the payment gateway has refused the late request unread. */
async function untilRefused(parts: RealParts, path: string, { regNo }: Started): Promise<void> {
  const statuses = () =>
    parts.gateway.exchanges
      .filter((exchange) => exchange.path === path && exchange.body.includes(regNo))
      .map(({ status }) => status);
  await vi.waitFor(() => expect(statuses()).toHaveLength(2), 20_000);
  expect(statuses()).toEqual([path === calls ? 202 : 200, 401]);
}

describe.runIf(databaseUrl)('a request that is sent after it has settled', () => {
  it(
    'by a worker that was stopped between commit and write, neither rings nor registers',
    { timeout },
    async () => {
      const parts = await startRealParts(databaseUrl!, inject('workflowBundle'));
      const { gateway, register, ended, stores, temporal } = parts;
      const frozen = await parts.startWorker();
      const registering = frozen.database.holdCommit('ANSWER', enters('REGISTRATION'));
      const one = await register();
      // Refused at first, so that the step continues as a regular activity: it is not limited to two seconds.
      gateway.answer(401, ({ path, body }) => path === calls && !body.includes(one.regNo));
      let entered = 0;
      const calling = frozen.database.holdCommit(
        'ANSWER',
        (transaction) =>
          enters('ARS_CALL')(transaction) && !transaction.includes(one.regNo) && ++entered === 2,
      );
      const other = await register();
      await Promise.all([registering.reached, calling.reached]);
      frozen.freeze();
      // Else Temporal would hand it tasks, and wait for their time limits.
      frozen.temporal.close();

      await parts.startWorkerHere();
      for (const { regNo } of [one, other])
        expect(await operate({ stores, temporal }, 'resume', '--number', regNo)).toMatchObject({
          exitCode: 0,
        });
      for (const started of [one, other]) await ended(started);

      for (const hold of [registering, calling]) hold.release();
      frozen.thaw();
      await untilRefused(parts, registrations, one);
      await untilRefused(parts, calls, other);
      for (const started of [one, other]) await expectRegisteredOnce(parts, started);
    },
  );

  it('by a network that held it, neither rings nor registers', { timeout }, async () => {
    const parts = await startRealParts(databaseUrl!, inject('workflowBundle'));
    const { gateway, register, ended } = parts;
    await parts.startWorker();
    const registering = gateway.hold('REQUEST', ({ path }) => path === registrations);
    const one = await register();
    await registering.reached;
    const calling = gateway.hold('REQUEST', ({ path }) => path === calls);
    const other = await register();
    await calling.reached;
    for (const started of [one, other]) await ended(started);

    for (const hold of [registering, calling]) hold.release();
    await untilRefused(parts, registrations, one);
    await untilRefused(parts, calls, other);
    for (const started of [one, other]) await expectRegisteredOnce(parts, started);
  });
});
