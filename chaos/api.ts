import { readFileSync } from 'node:fs';
import { createApp } from '../api/app.ts';
import { startHousekeeping } from '../api/housekeeping.ts';
import { listen } from '../api/server.ts';
import { createHttpPaymentGateway } from '../payment-gateway/http-payment-gateway.ts';
import { apiConfigSchema, readConfig } from '../platform/config.ts';
import { openPostgres } from '../platform/database/database.ts';
import { createStores } from '../platform/database/stores.ts';
import { createLog } from '../platform/log.ts';
import { runMain, stopRequested } from '../platform/process.ts';
import { createDataConverter, createTemporalClient, temporalConnection } from '../platform/temporal.ts';
import { chaosPolicy } from './policy.ts';

/** The API as `api/main.ts` puts it together, with waits that a run of minutes allows. */
runMain(async () => {
  const config = readConfig(apiConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  const log = createLog('api', config.LOG_LEVEL);
  const database = await openPostgres(config.DATABASE_URL, log);
  const dataConverter = createDataConverter(config.PAYLOAD_KEYS);
  const temporal = createTemporalClient(temporalConnection(), dataConverter);
  const stores = createStores(database.queries, config.DATABASE_KEYS);
  const app = createApp({
    stores,
    database,
    temporal,
    paymentGateway: createHttpPaymentGateway({
      baseUrl: config.PG_BASE_URL,
      sharedSecret: config.PG_SHARED_SECRET,
      callbackUrl: config.PG_CALLBACK_URL,
    }),
    paymentGatewaySecret: config.PG_SHARED_SECRET,
    payloadCodec: dataConverter.payloadCodecs![0]!,
    policy: chaosPolicy,
    timeWindow: config.TIME_WINDOW_MS,
    log,
    codec: { allowedOrigin: config.CODEC_ALLOWED_ORIGIN, token: config.CODEC_TOKEN },
  });
  const server = await listen(app, { port: config.PORT, host: config.HOST });
  log.info({ port: server.port }, 'the API listens');
  const stopHousekeeping = startHousekeeping(
    { stores, temporal, log },
    { interval: 3_000, startLimit: 20_000 },
  );
  await stopRequested();
  stopHousekeeping();
  await server.close();
  await temporal.connection.close();
  await database.close();
});
