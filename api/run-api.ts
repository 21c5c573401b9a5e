import type { z } from 'zod';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import { ConfigurationError } from '../runtime/config.ts';
import type { apiConfigSchema } from '../runtime/config.ts';
import { openPostgres } from '../database/database.ts';
import { findSandboxProjects } from '../database/projects-of-sandbox.ts';
import { createStores } from '../database/stores.ts';
import { createLog } from '../runtime/log.ts';
import { openPaymentGateway } from '../payment-gateway/open.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { serveMetrics } from '../runtime/metrics-server.ts';
import { stopRequested } from '../runtime/process.ts';
import { refuseSandboxDefaults } from '../runtime/production.ts';
import { createTemporalClient, temporalConnection } from '../runtime/temporal.ts';
import { createDataConverter } from '../encryption/data-converter.ts';
import { createApp } from './app.ts';
import { startHousekeeping } from './registrations/housekeeping.ts';
import type { HousekeepingTimes } from './registrations/housekeeping.ts';
import { requestLimits } from './http/request-limits.ts';
import { listen } from './http/server.ts';

/** Runs the API until the process is asked to stop. @param policy that of every registration it takes */
export async function runApi(
  config: z.output<typeof apiConfigSchema>,
  policy: RegistrationPolicy,
  housekeepingTimes?: HousekeepingTimes,
): Promise<void> {
  await refuseSandboxDefaults(config, () => findSandboxProjects(config.DATABASE_URL));
  const log = createLog('api', config.LOG_LEVEL);
  const metrics = createMetrics();
  const database = await openPostgres(config.DATABASE_URL, log);
  const dataConverter = createDataConverter(config.PAYLOAD_KEYS);
  const temporal = createTemporalClient(temporalConnection(), dataConverter);
  const stores = createStores(database.queries, config.DATABASE_KEYS);
  await stores.databaseKeys.requireAll();
  const paymentGateway = openPaymentGateway(config, metrics);
  metrics.watchReconciliations(() => stores.reconciliations.findLatestEnded());
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
    codec: { allowedOrigin: config.CODEC_ALLOWED_ORIGIN, token: config.CODEC_TOKEN },
    operatorToken: config.OPERATOR_TOKEN,
  });
  const stopMetrics = await serveMetrics(metrics.registry, config);
  const server = await listen(app, { port: config.PORT, host: config.HOST }).catch((error: unknown) => {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    throw isTaken ? new ConfigurationError(`PORT: ${config.PORT} is taken; set it to a free one.`) : error;
  });
  log.info({ port: server.port }, 'the API listens');
  const stopHousekeeping = startHousekeeping({ stores, temporal, log }, housekeepingTimes);
  await stopRequested();
  stopHousekeeping();
  await server.close();
  stopMetrics();
  await temporal.connection.close();
  await database.close();
}
