import { readFileSync } from 'node:fs';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { patientPolicy } from './patient-policy.ts';
import { startProgram } from './process-group.ts';
import { openOnPostgres, startSurroundings } from './surroundings.ts';

const databaseUrl = process.env['DATABASE_URL'];

/** How many rows are open; `npm run proof:backlog` takes 100,000. */
const backlog = Number(process.env['BACKLOG'] ?? 2_000);

/** How many API processes sweep, each with the settings of production. */
const apis = 2;

it.runIf(databaseUrl)(
  `an empty Temporal gets one run for each of ${backlog} open registrations`,
  { timeout: 120_000 + backlog * 60 },
  async () => {
    const { environment } = await startSurroundings();
    const {
      stores,
      temporal,
      database,
      projects,
      databaseUrl: url,
    } = await openOnPostgres(databaseUrl!, environment);
    const { aspId } = projects[0];
    const policyId = await stores.policies.keep(patientPolicy);
    const userId = sql`(40000000000 + number)::text`;
    const numbers = sql`generate_series(1, ${backlog}) as number`;
    await database.queries.execute(
      sql`insert into members (user_id, asp_id, seal) select ${userId}, ${aspId}, '' from ${numbers}`,
    );
    await database.queries.execute(sql`
      insert into registrations
        (registration_number, user_id, asp_id, bank_code, policy_id, status, step, timeline, begun_at, look_at, seal)
      select 'B' || lpad(number::text, 21, '0'), ${userId}, ${aspId}, '003', ${policyId}, 'ARS_AUTH_IN_PROGRESS',
        'ARS_CALL', '[]', now(), now() - interval '1 hour' + number * interval '1 millisecond', '' from ${numbers}`);
    await database.queries.execute(sql`analyze`);

    const startedAt = performance.now();
    const processes = await Promise.all(
      Array.from({ length: apis }, async () => {
        const port = String(await findFreePort());
        const variables = { ...environment, DATABASE_URL: url, PORT: port };
        const api = startProgram('development/run-from-source/api.ts', variables);
        await api.untilOutput(/the API is listening/);
        return api;
      }),
    );
    let [reported, highest] = [0, 0];
    const countRuns = async () => {
      const { count } = await temporal.workflow.count("WorkflowType = 'registerWithdrawalAccount'");
      highest = Math.max(highest, ...processes.map(({ id }) => residentMemory(id)));
      if (count >= reported + backlog / 10) {
        reported = count;
        const seconds = (performance.now() - startedAt) / 1_000;
        const memory = `at most ${Math.round(highest / 1e6)} MB in one of ${apis} API processes`;
        print(`${count} runs started after ${seconds.toFixed(0)} s, ${memory}`);
      }
      return count;
    };
    await expect.poll(countRuns, { timeout: 60_000 + backlog * 60, interval: 1_000 }).toBe(backlog);

    // A Temporal that is overrun refuses starts; the sweep then goes on, and takes those rows again later.
    const refusals = processes.flatMap((api) => api.output().match(/the sweep could not \w+/g) ?? []);
    print(`${refusals.length} starts or sweeps failed meanwhile`);
    for (const api of processes) {
      expect(api.output()).toContain('started a new run');
      api.terminate();
      expect(await api.exited).toBe(0);
    }
  },
);

/** The resident memory of a process in bytes. */
function residentMemory(id: number): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
