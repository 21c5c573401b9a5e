import type { Client } from '@temporalio/client';
import type { z } from 'zod';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import { openPostgres } from '../database/database.ts';
import type { Database } from '../database/database.ts';
import { createStores } from '../database/stores.ts';
import type { Stores } from '../database/stores.ts';
import { createDataConverter } from '../encryption/data-converter.ts';
import { createHttpPaymentGateway } from '../payment-gateway/http/http-payment-gateway.ts';
import type { PaymentGateway } from '../payment-gateway/payment-gateway.ts';
import type { operatorDatabaseConfigSchema, operatorPaymentGatewayConfigSchema } from '../runtime/config.ts';
import type { Log } from '../runtime/log.ts';
import { createMetrics } from '../runtime/metrics.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { createTemporalClient, temporalConnection } from '../runtime/temporal.ts';
import { deploymentPolicy } from './deployment-policy.ts';

/** What an operator's command needs of Temporal. */
export interface OperatorTemporal {
  /** Connects on first use. */
  readonly temporal: Client;
  close(): Promise<void>;
}

/** What an operator's command that works on the database needs. */
export interface OperatorService extends OperatorTemporal {
  readonly log: Log;
  /** Of this one command; nobody scrapes them. */
  readonly metrics: Metrics;
  readonly database: Database;
  readonly stores: Stores;
  readonly policy: RegistrationPolicy;
}

/** Opens what the commands without a database share. */
export function openOperatorTemporal(
  config: Pick<z.output<typeof operatorDatabaseConfigSchema>, 'PAYLOAD_KEYS' | 'TEMPORAL_API_KEY'>,
): OperatorTemporal {
  const temporal = createTemporalClient(temporalConnection(config), createDataConverter(config.PAYLOAD_KEYS));
  return { temporal, close: () => temporal.connection.close() };
}

/**
 * Opens what the commands with a database share.
 * @throws what the database throws when it cannot be reached
 */
export async function openOperatorService(
  config: z.output<typeof operatorDatabaseConfigSchema>,
  log: Log,
): Promise<OperatorService> {
  const database = await openPostgres(config.DATABASE_URL, log);
  const stores = createStores(database.queries, config.DATABASE_KEYS);
  await stores.rowSeals.createKey();
  const connected = openOperatorTemporal(config);
  return {
    log,
    metrics: createMetrics(),
    database,
    stores,
    temporal: connected.temporal,
    policy: deploymentPolicy(config),
    async close() {
      await connected.close();
      await database.close();
    },
  };
}

/** Opens the payment gateway, for the commands that ask it. */
export function openOperatorPaymentGateway(
  config: z.output<typeof operatorPaymentGatewayConfigSchema>,
): PaymentGateway {
  return createHttpPaymentGateway({
    baseUrl: config.PG_BASE_URL,
    sharedSecret: config.PG_SHARED_SECRET,
    callbackUrl: config.PG_CALLBACK_URL,
  });
}
