import type { Client } from '@temporalio/client';
import type { z } from 'zod';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import { openPostgres } from '../database/database.ts';
import { createStores } from '../database/stores.ts';
import type { Stores } from '../database/stores.ts';
import { createDataConverter } from '../encryption/data-converter.ts';
import type { operatorConfigSchema, operatorDatabaseConfigSchema } from '../runtime/config.ts';
import type { Log } from '../runtime/log.ts';
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
  readonly stores: Stores;
  readonly policy: RegistrationPolicy;
}

/** Opens what the commands without a database share. */
export function openOperatorTemporal({
  PAYLOAD_KEYS,
}: z.output<typeof operatorConfigSchema>): OperatorTemporal {
  const temporal = createTemporalClient(temporalConnection(), createDataConverter(PAYLOAD_KEYS));
  return { temporal, close: () => temporal.connection.close() };
}

/**
 * Opens what the commands with a database share: neither a payment gateway nor metrics.
 * @throws what the database throws when it cannot be reached
 */
export async function openOperatorService(
  config: z.output<typeof operatorDatabaseConfigSchema>,
  log: Log,
): Promise<OperatorService> {
  const database = await openPostgres(config.DATABASE_URL, log);
  const connected = openOperatorTemporal(config);
  return {
    stores: createStores(database.queries, config.DATABASE_KEYS),
    temporal: connected.temporal,
    policy: deploymentPolicy(config),
    async close() {
      await connected.close();
      await database.close();
    },
  };
}
