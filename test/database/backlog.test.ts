import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { readBacklog } from '../../database/backlog.ts';
import { timeOfKoreanDay } from '../../contract/korean-time.ts';
import { describeStores } from './stores-fixture.ts';

const hour = 60 * 60 * 1_000;
const day = 24 * hour;

describeStores((on) => {
  const read = async () =>
    Object.fromEntries(
      (await readBacklog(on.database.queries)).map(({ metric, label, value }) => [
        `${metric} ${label}`.trimEnd(),
        value,
      ]),
    );

  it('counts what is open, and knows how old the oldest is', async () => {
    expect(await read()).toEqual({
      result_notifications_pending: 0,
      result_notifications_held: 0,
      result_notification_lag_seconds: 0,
    });
    await on.stores.projects.setNotificationUrl('TESTASP00000001', 'https://receiver.example/results');
    const numbers = [];
    for (let member = 0; member < 4; member++) numbers.push(await on.addRegistration(await on.addMember()));
    const [called, , failed, alsoFailed] = numbers as [string, string, string, string];
    await on.call(called);
    for (const number of [failed, alsoFailed]) await on.fail(number);
    const notifications = on.stores.resultNotifications;
    await notifications.recordDelivery(failed, 1, 'PENDING', -hour);
    await on.stores.projects.setState('TESTASP00000001', 'INACTIVE');
    expect(await notifications.hold(alsoFailed)).toBe(true);
    await on.database.queries.execute(
      sql`update registrations set created_at = now() - interval '2 hours' where registration_number = ${called}`,
    );
    const found = await read();
    expect(found).toMatchObject({
      'registrations_open ARS_CALL': 1,
      'registrations_open ACCOUNT_HOLDER_CHECK': 1,
      'effects_open ARS_CALL': 1,
      result_notifications_pending: 1,
      result_notifications_held: 1,
    });
    expect(found['registrations_oldest_age_seconds ARS_CALL']).toBeGreaterThanOrEqual(7_200);
    expect(found['effects_oldest_age_seconds ARS_CALL']).toBeLessThan(7_200);
    expect(found['result_notification_lag_seconds']).toBeGreaterThanOrEqual(3_600);
  });

  it('names the banks that are in a maintenance window now', async () => {
    const { bankWindows } = on.stores;
    const now = Date.now();
    const at = (milliseconds: number) => (timeOfKoreanDay(now) + milliseconds + day) % day;
    const once = (from: number, until: number) => ({
      once: { startsAt: new Date(now + from), endsAt: new Date(now + until) },
    });
    await bankWindows.add('003', { daily: { from: at(-hour), until: at(hour) } });
    await bankWindows.add('004', { daily: { from: at(-13 * hour), until: at(10 * hour) } });
    await bankWindows.add('007', { daily: { from: at(hour), until: at(-hour) } });
    await bankWindows.add('011', once(-hour, hour));
    await bankWindows.add('020', once(hour, 2 * hour));
    const closed = Object.keys(await read()).filter((name) => name.startsWith('bank_closed'));
    const expected = [];
    for (const { bankCode } of await bankWindows.list()) {
      if ((await bankWindows.closedUntil(bankCode, now)) !== undefined)
        expected.push(`bank_closed ${bankCode}`);
    }
    expect(closed.toSorted()).toEqual(expected);
    expect(closed).toHaveLength(3);
  });
});
