import { readFileSync } from 'node:fs';
import { NativeConnection } from '@temporalio/worker';
import { createActivities } from '../activities/activities.ts';
import { createCallbackSender } from '../activities/callback-sender.ts';
import { createHttpPaymentGateway } from '../payment-gateway/http-payment-gateway.ts';
import { readConfig, workerConfigSchema } from '../platform/config.ts';
import { openPostgres } from '../platform/database/database.ts';
import { createStores } from '../platform/database/stores.ts';
import { createLog } from '../platform/log.ts';
import { runMain } from '../platform/process.ts';
import { createDataConverter, temporalConnection } from '../platform/temporal.ts';
import { createWorker, installRuntime } from '../worker/worker.ts';

/** The worker as `worker/main.ts` puts it together; results are delivered to this machine, which that one refuses. */
runMain(async () => {
  const config = readConfig(workerConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  const log = createLog('worker', config.LOG_LEVEL);
  installRuntime(log);
  const database = await openPostgres(config.DATABASE_URL, log);
  const { connectionOptions, namespace } = temporalConnection();
  const connection = await NativeConnection.connect(connectionOptions);
  const worker = await createWorker({
    connection,
    namespace,
    dataConverter: createDataConverter(config.PAYLOAD_KEYS),
    activities: createActivities({
      stores: createStores(database.queries, config.DATABASE_KEYS),
      callbackSender: createCallbackSender({ allowLoopback: true }),
      paymentGateway: createHttpPaymentGateway({
        baseUrl: config.PG_BASE_URL,
        sharedSecret: config.PG_SHARED_SECRET,
        callbackUrl: config.PG_CALLBACK_URL,
      }),
    }),
    workflowBundle: config.WORKFLOW_BUNDLE ? { codePath: config.WORKFLOW_BUNDLE } : undefined,
  });
  log.info('the worker takes work');
  await worker.run();
  await connection.close();
  await database.close();
});
