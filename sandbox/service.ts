import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { createActivities } from '../activities/activities.ts';
import { createCallbackSender } from '../activities/callback-sender.ts';
import { createApp } from '../api/app.ts';
import { startHousekeeping } from '../api/housekeeping.ts';
import { listen } from '../api/server.ts';
import { sandboxPolicy } from '../contract/registration-policy.ts';
import { createHttpPaymentGateway } from '../payment-gateway/http-payment-gateway.ts';
import { readConfig, sandboxConfigSchema } from '../platform/config.ts';
import { openPglite } from '../platform/database/database.ts';
import { createStores } from '../platform/database/stores.ts';
import { createLog } from '../platform/log.ts';
import { runMain, stopRequested } from '../platform/process.ts';
import { createDataConverter, createTemporalClient, temporalConnection } from '../platform/temporal.ts';
import { createWorker, installRuntime } from '../worker/worker.ts';
import { loadCredentials, publicCredentials, seed } from './credentials.ts';

/** API and worker in one process, because the embedded database allows no second one. */
runMain(async () => {
  const config = readConfig(sandboxConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  const log = createLog('service', config.LOG_LEVEL);
  installRuntime(log, []);
  const database = await openPglite(join(config.DATA_DIR, 'database'));
  const stores = createStores(database.queries, config.DATABASE_KEYS);
  const credentials = await loadCredentials(join(config.DATA_DIR, 'credentials.json'));
  await seed(stores, credentials);

  const dataConverter = createDataConverter(config.PAYLOAD_KEYS);
  const { connectionOptions, namespace } = temporalConnection();
  const connection = await NativeConnection.connect(connectionOptions);
  const temporal = createTemporalClient({ connectionOptions, namespace }, dataConverter);
  const paymentGateway = createHttpPaymentGateway({
    baseUrl: config.PG_BASE_URL,
    sharedSecret: config.PG_SHARED_SECRET,
    callbackUrl: config.PG_CALLBACK_URL,
  });
  const worker = await createWorker({
    connection,
    namespace,
    dataConverter,
    activities: createActivities({
      stores,
      paymentGateway,
      callbackSender: createCallbackSender({ allowLoopback: true }),
    }),
    shutdownGraceTime: 4_000,
  });
  const running = worker.run();
  const app = createApp({
    stores,
    database,
    temporal,
    paymentGateway,
    paymentGatewaySecret: config.PG_SHARED_SECRET,
    payloadCodec: dataConverter.payloadCodecs![0]!,
    policy: sandboxPolicy,
    timeWindow: config.TIME_WINDOW_MS,
    log,
    codec: { allowedOrigin: config.CODEC_ALLOWED_ORIGIN },
    sandboxCredentials: () => publicCredentials(credentials),
    phoneUrl: new URL('/simulator/phone', config.PG_BASE_URL).href,
  });
  const server = await listen(app, { port: config.PORT, host: config.HOST });
  log.info({ port: server.port }, 'the service is up');

  const stopHousekeeping = startHousekeeping({ stores, temporal, log });
  await Promise.race([stopRequested(), running]);
  stopHousekeeping();
  await server.close();
  if (worker.getState() === 'RUNNING') worker.shutdown();
  await running;
  await temporal.connection.close();
  await connection.close();
  await database.close();
});
