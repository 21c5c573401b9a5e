import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import type { z } from 'zod';
import { createActivities } from '../../activities/activities.ts';
import { createNotificationSender } from '../../activities/notification-sender.ts';
import { createApp } from '../../api/app.ts';
import { startHousekeeping } from '../../api/registrations/housekeeping.ts';
import { requestLimits } from '../../api/http/request-limits.ts';
import { listen } from '../../api/http/server.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';
import { sandboxCircuitBreakers } from '../../payment-gateway/circuit-breakers.ts';
import type { sandboxConfigSchema } from '../../runtime/config.ts';
import { openPglite } from '../../database/database.ts';
import { createStores } from '../../database/stores.ts';
import { createLog } from '../../runtime/log.ts';
import { openPaymentGateway } from '../../payment-gateway/open.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { serveMetrics } from '../../runtime/metrics-server.ts';
import { stopRequested } from '../../runtime/process.ts';
import { createTemporalClient, temporalConnection } from '../../runtime/temporal.ts';
import { createDataConverter } from '../../encryption/data-converter.ts';
import { ensureSchedules } from '../../worker/schedules.ts';
import { createWorker, installRuntime, temporalMetricsAddress } from '../../worker/worker.ts';
import { loadCredentials, publicCredentials, seed } from './credentials.ts';

/** Runs API and worker in one process, because the embedded database allows no second one, until it is to stop. */
export async function runService(
  config: z.output<typeof sandboxConfigSchema>,
  policy: RegistrationPolicy,
): Promise<void> {
  const log = createLog('service', config.LOG_LEVEL);
  installRuntime(log, { shutdownSignals: [], metricsAddress: temporalMetricsAddress(config) });
  const metrics = createMetrics();
  const database = await openPglite({ dataDir: join(config.DATA_DIR, 'database') });
  const stores = createStores(database.queries, config.DATABASE_KEYS);
  await stores.databaseKeys.requireAll();
  const credentials = await loadCredentials(join(config.DATA_DIR, 'credentials.json'));
  await seed(stores, credentials);

  const dataConverter = createDataConverter(config.PAYLOAD_KEYS);
  const { connectionOptions, namespace } = temporalConnection();
  const connection = await NativeConnection.connect(connectionOptions);
  const temporal = createTemporalClient({ connectionOptions, namespace }, dataConverter);
  await ensureSchedules(temporal);
  const paymentGateway = openPaymentGateway(config, metrics, sandboxCircuitBreakers);
  metrics.watchReconciliations(() => stores.reconciliations.findLatestEnded());
  const worker = await createWorker({
    connection,
    namespace,
    dataConverter,
    activities: createActivities({
      stores,
      paymentGateway,
      notificationSender: createNotificationSender({ allowLoopback: true }),
      metrics,
    }),
    shutdownGraceTime: 4_000,
  });
  const running = worker.run();
  const app = createApp({
    stores,
    database,
    temporal,
    paymentGateway,
    payloadCodec: dataConverter.payloadCodecs![0]!,
    policy,
    timeWindow: config.TIME_WINDOW_MS,
    log,
    metrics,
    limits: requestLimits(config),
    codec: { allowedOrigin: config.CODEC_ALLOWED_ORIGIN },
    sandboxCredentials: () => publicCredentials(credentials),
    phoneUrl: new URL('/simulator/phone', config.PG_BASE_URL).href,
  });
  const stopMetrics = await serveMetrics(metrics.registry, config);
  const server = await listen(app, { port: config.PORT, host: config.HOST });
  log.info({ port: server.port }, 'the service is up');

  const stopHousekeeping = startHousekeeping({ stores, temporal, log });
  await Promise.race([stopRequested(), running]);
  stopHousekeeping();
  await server.close();
  stopMetrics();
  if (worker.getState() === 'RUNNING') worker.shutdown();
  await running;
  await temporal.connection.close();
  await connection.close();
  await database.close();
}
