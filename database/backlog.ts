import { sql } from 'drizzle-orm';
import type { Sample } from '../runtime/read-gauges.ts';
import type { Queries } from './database.ts';
import { bankWindows, effects, reconciliations, registrations, resultNotifications } from './schema.ts';

/** The time of day in Korea, in ms since midnight there. */
const koreanTime = sql`extract(epoch from (now() at time zone 'Asia/Seoul')::time) * 1000`;

/** A notification that is held back is looked at in the year 9999. */
const isHeld = sql`look_at > now() + interval '1000 years'`;

/**
 * Reads what is open, for the metrics: one statement, which reads open rows by their partial indexes, and two small tables.
 * Nothing is decided by it, so it checks no seals.
 */
export async function readBacklog(queries: Queries): Promise<Sample<'database'>[]> {
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
    ), closed as (
      select distinct bank_code as label from ${bankWindows}
      where (starts_at <= now() and now() < ends_at)
        or (daily_from <= daily_until and daily_from <= ${koreanTime} and ${koreanTime} < daily_until)
        or (daily_from > daily_until and (daily_from <= ${koreanTime} or ${koreanTime} < daily_until))
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
    union all select 'bank_closed', label, 1 from closed
    union all select 'reconciliation_registrations', key, value::numeric from reconciled, jsonb_each_text(counts)
  `)) as { rows: { metric: Sample<'database'>['metric']; label: string; value: string }[] };
  return rows.map(({ value, ...sample }) => ({ ...sample, value: Number(value) }));
}
