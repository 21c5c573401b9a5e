import { readFileSync } from 'node:fs';
import { Client } from '@temporalio/client';
import { NativeConnection, TransportError } from '@temporalio/worker';
import { createActivities } from '../activities/activities.ts';
import { createCallbackSender } from '../activities/callback-sender.ts';
import { withCircuitBreakers } from '../payment-gateway/circuit-breakers.ts';
import { createHttpPaymentGateway } from '../payment-gateway/http-payment-gateway.ts';
import { ConfigurationError, readConfig, workerConfigSchema } from '../platform/config.ts';
import { openPostgres } from '../platform/database/database.ts';
import { createStores } from '../platform/database/stores.ts';
import { createLog } from '../platform/log.ts';
import { runMain } from '../platform/process.ts';
import { createDataConverter, temporalConnection } from '../platform/temporal.ts';
import { ensureSchedules } from './schedules.ts';
import { createWorker, installRuntime } from './worker.ts';

runMain(async () => {
  const config = readConfig(workerConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  const log = createLog('worker', config.LOG_LEVEL);
  installRuntime(log);
  const database = await openPostgres(config.DATABASE_URL, log);
  const stores = createStores(database.queries, config.DATABASE_KEYS);
  await stores.databaseKeys.requireAll();
  const { connectionOptions, namespace } = temporalConnection();
  const connection = await NativeConnection.connect(connectionOptions).catch((error: unknown) => {
    if (!(error instanceof TransportError)) throw error;
    throw new ConfigurationError(`TEMPORAL_ADDRESS: nothing answers at ${connectionOptions.address}.`);
  });
  const dataConverter = createDataConverter(config.PAYLOAD_KEYS);
  await ensureSchedules(new Client({ connection, namespace, dataConverter }));
  const worker = await createWorker({
    connection,
    namespace,
    dataConverter,
    activities: createActivities({
      stores,
      callbackSender: createCallbackSender({ allowLoopback: false }),
      paymentGateway: withCircuitBreakers(
        createHttpPaymentGateway({
          baseUrl: config.PG_BASE_URL,
          sharedSecret: config.PG_SHARED_SECRET,
          callbackUrl: config.PG_CALLBACK_URL,
        }),
      ),
    }),
    workflowBundle: config.WORKFLOW_BUNDLE ? { codePath: config.WORKFLOW_BUNDLE } : undefined,
    deployment:
      config.TEMPORAL_DEPLOYMENT_NAME && config.TEMPORAL_BUILD_ID
        ? { deploymentName: config.TEMPORAL_DEPLOYMENT_NAME, buildId: config.TEMPORAL_BUILD_ID }
        : undefined,
  });
  log.info('the worker takes work');
  await worker.run();
  await connection.close();
  await database.close();
});
