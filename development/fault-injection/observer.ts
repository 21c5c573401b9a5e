import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { getTableColumns, isNull } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';
import { createHttpPaymentGateway } from '../../payment-gateway/http/http-payment-gateway.ts';
import * as schema from '../../database/schema.ts';
import { createDataConverter } from '../../encryption/data-converter.ts';
import { verifyEvidence } from '../../database/evidence-verification.ts';
import { createStores } from '../../database/stores.ts';
import type { Plan } from './plan.ts';
import type { Journal, ServiceProvider } from './service-provider.ts';
import type { SystemUnderTest } from './system-under-test.ts';

/** A registration in the simulator's ledger. */
export interface SimulatorRegistration {
  readonly bankAccRegNo: string;
  readonly userId: string;
  readonly state: 'REGISTERED' | 'REMOVED';
}

/** A call in the simulator. */
export interface SimulatorCall {
  readonly callId: string;
  readonly reference: string;
  readonly attempt: number;
  readonly state: string;
}

/** A consent recording and its problems; an empty list means that it is valid. */
export interface CheckedEvidence {
  readonly registrationNumber: string;
  readonly problems: readonly string[];
}

/** Reads the state of the database, Temporal and the payment gateway without changing it. */
export async function openObserver({ direct, secrets, ...system }: SystemUnderTest, plan: Plan) {
  const pool = new Pool({
    connectionString: direct.databaseUrl,
    options: '-c default_transaction_read_only=on',
  });
  pool.on('error', () => {});
  const queries = drizzle(pool, { schema });
  const stores = createStores(queries, secrets.DATABASE_KEYS);
  const connection = await Connection.connect({ address: direct.temporalAddress });
  const temporal = new Client({ connection, dataConverter: createDataConverter(secrets.PAYLOAD_KEYS) });
  const paymentGateway = createHttpPaymentGateway({
    baseUrl: direct.simulatorUrl,
    sharedSecret: secrets.PG_SHARED_SECRET,
    callbackUrl: direct.simulatorUrl,
  });

  async function readRegistrations() {
    const { sealedDetails: _sealed, ...columns } = getTableColumns(schema.registrations);
    // Nobody has the number of one that was withdrawn.
    return await queries
      .select(columns)
      .from(schema.registrations)
      .where(isNull(schema.registrations.withdrawnAt));
  }

  async function readRuns() {
    const runs = [];
    for await (const run of temporal.workflow.list()) {
      const { workflowId, runId, type, status, startTime, closeTime, searchAttributes } = run;
      const step = String(searchAttributes['RegistrationStep'] ?? '');
      runs.push({ workflowId, runId, type, status: status.name, startTime, closeTime, step });
    }
    return runs;
  }

  async function ask<Answer>(path: string): Promise<Answer> {
    return (await (await fetch(`${direct.simulatorUrl}/simulator/${path}`)).json()) as Answer;
  }

  async function checkEvidence(calls: readonly SimulatorCall[]): Promise<CheckedEvidence[]> {
    const { sealedRecording: _sealed, ...columns } = getTableColumns(schema.consentEvidence);
    const checked: CheckedEvidence[] = [];
    const problems = new Map<string, string>();
    for await (const finding of verifyEvidence(stores)) {
      if (finding.state === 'BROKEN') problems.set(finding.subject, finding.problem);
    }
    for (const { registrationNumber, callId, attempt, sha256 } of await queries
      .select(columns)
      .from(schema.consentEvidence)) {
      const problem = problems.get(registrationNumber);
      const original = await paymentGateway.fetchRecording(callId, AbortSignal.timeout(10_000));
      const call = calls.find((candidate) => candidate.callId === callId);
      const isOfThisCall =
        call?.reference === registrationNumber && call.attempt === attempt && call.state === 'PASSED';
      checked.push({
        registrationNumber,
        problems: [
          ...(problem === undefined ? [] : [problem]),
          ...(original && digest(original) === sha256
            ? []
            : ['it differs from the payment gateway’s recording']),
          ...(isOfThisCall ? [] : ['its call did not pass or belongs to another registration']),
        ],
      });
    }
    return checked;
  }

  return {
    /** What remains to be done before the service is idle; empty when it is. */
    async findPendingWork(): Promise<string[]> {
      const [registrations, accounts, results, runs] = await Promise.all([
        readRegistrations(),
        queries.select().from(schema.accounts),
        queries.select().from(schema.resultNotifications),
        readRuns(),
      ]);
      const count = (what: string, number: number): string[] => (number > 0 ? [`${number} ${what}`] : []);
      const open = registrations.filter(({ endedAt }) => !endedAt);
      const inReview = open.filter(({ step }) => step === 'REVIEW').length;
      return [
        ...count('registrations without an end', open.length - inReview),
        ...count(
          'removals',
          accounts.filter(({ state }) => state === 'REPLACED' || state === 'DELETED').length,
        ),
        ...count('pending notifications', results.filter(({ state }) => state === 'PENDING').length),
        ...count('open runs', runs.filter(({ status }) => status === 'RUNNING').length - inReview),
      ];
    },

    /** Collects all observations. Call it once the service is idle. */
    async observe(serviceProvider: ServiceProvider) {
      const [registrations, accounts, results, runs, ledger, calls] = await Promise.all([
        readRegistrations(),
        queries.select().from(schema.accounts),
        queries.select().from(schema.resultNotifications),
        readRuns(),
        ask<SimulatorRegistration[]>('registrations'),
        ask<SimulatorCall[]>('calls'),
      ]);
      const usableAccounts = new Map<string, string | undefined>();
      for (const { userId } of system.members) {
        usableAccounts.set(userId, await serviceProvider.findAccount(userId));
      }
      const journal: Journal = serviceProvider.journal;
      return {
        journal,
        registrations,
        accounts,
        results,
        runs,
        ledger,
        calls,
        usableAccounts,
        evidence: await checkEvidence(calls),
        received: system.notificationReceiver.received,
        invalidNotifications: system.notificationReceiver.invalid,
        restores: system.restores,
        ...(await readLogs(system, plan)),
      };
    },

    async close(): Promise<void> {
      await connection.close();
      await pool.end();
    },
  };
}

/** See {@link openObserver}. */
export type Observations = Awaited<ReturnType<Awaited<ReturnType<typeof openObserver>>['observe']>>;

/** Searches logs and Temporal's files for personal data, secrets, internal errors and crashes. */
async function readLogs(
  {
    logDirectory,
    temporalDatabaseFile,
    members,
    project,
    processes,
  }: Omit<SystemUnderTest, 'direct' | 'secrets'>,
  plan: Plan,
) {
  const registers = plan.members.flat().filter((operation) => operation.kind === 'REGISTER');
  const canaries = new Set([
    ...members.flatMap(({ userName, mobileNumber }) => [userName, mobileNumber]),
    ...registers.flatMap(({ accountNumber, mobileNumber }) => [accountNumber, mobileNumber]),
    project.secretKey,
    project.accessKey,
  ]);
  const leaks: string[] = [];
  const internalErrors: string[] = [];
  const nonDeterminism: string[] = [];
  // Every process that exited by itself, whatever it logged.
  const crashes = Object.entries(processes)
    .filter(([, { counts }]) => counts.exits > 0)
    .map(([name, { counts }]) => `${name} exited by itself ${counts.exits} times`);
  // The simulator is excluded: the payment gateway and the phones know the numbers.
  const names = (await readdir(logDirectory)).filter((name) => !name.startsWith('simulator'));
  const files = [
    ...names.map((name) => join(logDirectory, name)),
    temporalDatabaseFile,
    `${temporalDatabaseFile}-wal`,
  ];
  for (const file of files) {
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    leaks.push(
      ...[...canaries].filter((canary) => bytes.includes(canary)).map((canary) => `${canary} in ${file}`),
    );
    if (!file.endsWith('.log')) continue;
    for (const line of bytes.toString().split('\n')) {
      if (line.includes('"code":"000_990"')) internalErrors.push(line);
      if (/non-?determinis/i.test(line)) nonDeterminism.push(line);
      // Node's last line after an uncaught error.
      if (line.startsWith('Node.js v')) crashes.push(file);
    }
  }
  return {
    canaries: canaries.size,
    filesSearched: files.length,
    leaks,
    internalErrors,
    nonDeterminism,
    crashes,
  };
}

function digest(recording: Buffer): string {
  return createHash('sha256').update(recording).digest('hex');
}
