import { expect, onTestFinished } from 'vitest';
import { createApp } from '../../api/app.ts';
import type { ApiParts } from '../../api/parts.ts';
import { listen } from '../../api/http/server.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';
import { startTcpProxy } from '../../development/fault-injection/tcp-proxy.ts';
import type { TcpProxy } from '../../development/fault-injection/tcp-proxy.ts';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import { startWorker } from '../../worker/worker.ts';
import { startDatabaseProxy } from '../fixtures/database-proxy.ts';
import type { DatabaseProxy } from '../fixtures/database-proxy.ts';
import { membersOf } from '../fixtures/members-of-stack.ts';
import type { Started } from '../fixtures/members-of-stack.ts';
import { startHttpProxy } from '../fixtures/http-proxy.ts';
import { sandboxLimits, silenceSdk } from '../fixtures/stack.ts';
import { startProgram } from './process-group.ts';
import type { ProcessGroup } from './process-group.ts';
import { openAnother, openOnPostgres, startSurroundings } from './surroundings.ts';

/** The sandbox's policy with waits so short that an attempt is settled two seconds after it was sent. */
export const hastyPolicy: RegistrationPolicy = {
  ...sandboxPolicy,
  effects: { sendLimit: 1_000, settleTime: 1_000, maxAttempts: 5 },
  arsCall: { ...sandboxPolicy.arsCall, firstInquiryAfter: 500, maxInquiryInterval: 1_000 },
  paymentGatewayRegistration: { firstInquiryAfter: 500, maxInquiryInterval: 1_000, reviewAfter: 120_000 },
};

/** A worker that is a process, with its own paths to the database and to Temporal. */
export interface WorkerProcess extends ProcessGroup {
  readonly database: DatabaseProxy;
  readonly temporal: TcpProxy;
}

export type RealParts = Awaited<ReturnType<typeof startRealParts>>;

/**
 * The service on PostgreSQL, with a proxy on each path on which something can be held: in front of the payment gateway, and
 * between each process and the database. Workers are processes; the API runs in the test. All ends with the test.
 */
export async function startRealParts(
  databaseUrl: string,
  workflowBundle: string,
  policy: RegistrationPolicy = hastyPolicy,
) {
  const { url, simulatorUrl, environment } = await startSurroundings();
  const gateway = await startHttpProxy(simulatorUrl);
  onTestFinished(() => gateway.close());
  const throughProxy = { ...environment, PG_BASE_URL: gateway.url };
  const service = await openOnPostgres(databaseUrl, throughProxy);

  async function proxyDatabase(): Promise<DatabaseProxy> {
    const proxy = await startDatabaseProxy(service.databaseUrl);
    onTestFinished(() => proxy.close());
    return proxy;
  }

  /** Starts an API. @returns its URL, and its path to the database */
  async function startApi(
    port: number,
    parts: Partial<ApiParts>,
    temporalAddress = environment.TEMPORAL_ADDRESS,
  ) {
    const database = await proxyDatabase();
    const ofApi = await openAnother(database.url, { ...throughProxy, TEMPORAL_ADDRESS: temporalAddress });
    const app = createApp({
      ...ofApi,
      policy,
      timeWindow: 60_000,
      limits: sandboxLimits,
      codec: { allowedOrigin: environment.CODEC_ALLOWED_ORIGIN },
      ...parts,
    });
    const server = await listen(app, { port, host: '127.0.0.1' });
    onTestFinished(() => server.close());
    return { ...ofApi, url: `http://127.0.0.1:${server.port}`, proxy: database };
  }
  const api = await startApi(Number(environment.PORT), {});

  const parts = { ...service, url, simulatorUrl, environment: throughProxy, gateway, api };
  return {
    ...parts,
    ...membersOf(() => parts),
    startApi: (otherParts: Partial<ApiParts>, temporalAddress?: string) =>
      startApi(0, otherParts, temporalAddress),
    /** Starts a worker process, and waits until it is up. */
    async startWorker(temporalAddress = environment.TEMPORAL_ADDRESS): Promise<WorkerProcess> {
      const database = await proxyDatabase();
      const temporal = await startTcpProxy(Number(temporalAddress.split(':')[1]));
      onTestFinished(() => temporal.close());
      const worker = startProgram('development/fault-injection/worker.ts', {
        ...throughProxy,
        DATABASE_URL: database.url,
        TEMPORAL_ADDRESS: `127.0.0.1:${temporal.port}`,
        WORKFLOW_BUNDLE: workflowBundle,
      });
      await worker.untilOutput(/the worker is running/);
      return { ...worker, database, temporal };
    },
    /** Starts a worker in this process, which is up at once. */
    async startWorkerHere(): Promise<void> {
      silenceSdk();
      const worker = await startWorker(service, {
        allowLoopback: true,
        workflowBundle: { codePath: workflowBundle },
        shutdownGraceTime: 1_000,
      });
      onTestFinished(() => worker.stop());
    },
  };
}

/** Whether it is registered, with one call that rang and one registration. */
export async function expectRegisteredOnce(parts: RealParts, started: Started): Promise<void> {
  expect(await parts.ended(started)).toMatchObject({ status: 'BANK_ACC_REGISTERED' });
  expect(await parts.callsOf(started)).toHaveLength(1);
  expect(await parts.registrationsOf(started)).toEqual([
    expect.objectContaining({ bankAccRegNo: started.regNo, registerCalls: 1 }),
  ]);
}
