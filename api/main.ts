import { readFileSync } from 'node:fs';
import { productionPolicy } from '../contract/registration-policy.ts';
import { ConfigurationError, apiConfigSchema, readConfig } from '../platform/config.ts';
import { openPostgres } from '../platform/database/database.ts';
import { findSandboxProjects } from '../platform/database/projects-of-sandbox.ts';
import { createStores } from '../platform/database/stores.ts';
import { createLog } from '../platform/log.ts';
import { openPaymentGateway } from '../platform/payment-gateway.ts';
import { createMetrics } from '../platform/metrics.ts';
import { serveMetrics } from '../platform/metrics-server.ts';
import { runMain, stopRequested } from '../platform/process.ts';
import { refuseSandboxDefaults } from '../platform/production.ts';
import { createDataConverter, createTemporalClient, temporalConnection } from '../platform/temporal.ts';
import { createApp } from './app.ts';
import { startHousekeeping } from './housekeeping.ts';
import { requestLimits } from './request-limits.ts';
import { listen } from './server.ts';

runMain(async () => {
  const config = readConfig(apiConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
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
    paymentGatewaySecret: config.PG_SHARED_SECRET,
    payloadCodec: dataConverter.payloadCodecs![0]!,
    policy: {
      ...productionPolicy,
      arsCall: {
        ...productionPolicy.arsCall,
        callingHours: config.CALLING_HOURS,
        dailyLimits: {
          member: config.ARS_CALLS_PER_MEMBER,
          phone: config.ARS_CALLS_PER_PHONE,
          account: config.ARS_CALLS_PER_ACCOUNT,
        },
      },
    },
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
  const stopHousekeeping = startHousekeeping({ stores, log });
  await stopRequested();
  stopHousekeeping();
  await server.close();
  stopMetrics();
  await temporal.connection.close();
  await database.close();
});
