import { sql } from 'drizzle-orm';
import type { Sample } from '../runtime/read-gauges.ts';
import { toBankWindow } from './bank-windows.ts';
import { isWithin } from './closed-until.ts';
import type { Queries } from './database.ts';
import { heldBack } from './result-notifications.ts';
import { bankWindows, effects, reconciliations, registrations, resultNotifications } from './schema.ts';

const isHeld = sql`look_at = ${heldBack}`;

/** Reads what is open and which banks are closed, for the metrics. Nothing is decided by it, so it checks no seals. */
export async function readBacklog(queries: Queries): Promise<Sample<'database'>[]> {
  return [...(await readOpen(queries)), ...(await readClosedBanks(queries))];
}

async function readClosedBanks(queries: Queries): Promise<Sample<'database'>[]> {
  const windows = (await queries.select().from(bankWindows)).map(toBankWindow);
  const closed = windows.filter((window) => isWithin(window, Date.now())).map(({ bankCode }) => bankCode);
  return [...new Set(closed)].map((label) => ({ metric: 'bank_closed', label, value: 1 }));
}

/** One statement, which reads open rows by their partial indexes, and the latest reconciliation. */
async function readOpen(queries: Queries): Promise<Sample<'database'>[]> {
  const { rows } = (await queries.execute(sql`
    with steps as (
      select step as label, count(*) as number, extract(epoch from now() - min(created_at)) as age
      from ${registrations} where ended_at is null group by step
    ), sent as (
      select kind as label, count(*) as number, extract(epoch from now() - min(sent_at)) as age
      from ${effects} where state in ('SENT', 'ACCEPTED') group by kind
    ), notifications as (
      select count(*) filter (where not ${isHeld}) as pending, count(*) filter (where ${isHeld}) as held,
        extract(epoch from now() - min(next_delivery_at) filter (where not ${isHeld})) as lag
      from ${resultNotifications} where state = 'PENDING'
    ), reconciled as (
      select counts from ${reconciliations} where ended_at is not null order by ended_at desc limit 1
    )
    select 'registrations_open' as metric, label, number as value from steps
    union all select 'registrations_oldest_age_seconds', label, age from steps
    union all select 'effects_open', label, number from sent
    union all select 'effects_oldest_age_seconds', label, age from sent
    union all select 'result_notifications_pending', '', pending from notifications
    union all select 'result_notifications_held', '', held from notifications
    union all select 'result_notification_lag_seconds', '', greatest(lag, 0) from notifications
    union all select 'reconciliation_registrations', key, value::numeric from reconciled, jsonb_each_text(counts)
  `)) as { rows: { metric: Sample<'database'>['metric']; label: string; value: string }[] };
  return rows.map(({ value, ...sample }) => ({ ...sample, value: Number(value) }));
}
