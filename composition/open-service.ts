import type { Client } from '@temporalio/client';
import type { DataConverter, Payload } from '@temporalio/common';
import { serviceActor } from '../database/audit-trail.ts';
import { readBacklog } from '../database/backlog.ts';
import type { Database } from '../database/database.ts';
import type { DatabaseFailover } from '../database/incarnations.ts';
import { requireUnchangedPayloadKeys } from '../database/payload-keys.ts';
import { createStores } from '../database/stores.ts';
import type { Stores } from '../database/stores.ts';
import { createDataConverter } from '../encryption/data-converter.ts';
import { KeyRing } from '../encryption/key-ring.ts';
import { createWebUiDecoder } from '../encryption/payload-codec.ts';
import { withCircuitBreakers } from '../payment-gateway/circuit-breakers.ts';
import type { CircuitBreakerOptions, GuardedPaymentGateway } from '../payment-gateway/circuit-breakers.ts';
import { createHttpPaymentGateway } from '../payment-gateway/http/http-payment-gateway.ts';
import { interceptPaymentGateway } from '../payment-gateway/interceptor.ts';
import type { PaymentGatewayInterceptor } from '../payment-gateway/interceptor.ts';
import { withTracing } from '../payment-gateway/traced-requests.ts';
import { withRequestMetrics } from '../payment-gateway/request-metrics.ts';
import type { Log } from '../runtime/log.ts';
import { createMetrics } from '../runtime/metrics.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { noTracing } from '../runtime/tracing.ts';
import type { Tracing } from '../runtime/tracing.ts';
import { correlationHeaders } from '../runtime/correlation.ts';
import { createTemporalClient, temporalConnection } from '../runtime/temporal.ts';
import type { TemporalConnection } from '../runtime/temporal.ts';
import { createDatabaseWitness } from './database-witness.ts';
import type { DatabaseWitness } from './database-witness.ts';
import { readTemporal } from './read-temporal.ts';
import { watchDatabase } from './watch-database.ts';

/** The settings that every process of the service needs, by the names of their environment variables. */
export interface ServiceConfig {
  readonly DATABASE_KEYS: string;
  readonly PAYLOAD_KEYS: string;
  readonly PG_BASE_URL: string;
  readonly PG_SHARED_SECRET: string;
  readonly PG_CALLBACK_URL: string;
  readonly TEMPORAL_API_KEY?: string | undefined;
  /** Of this version of the worker. */
  readonly TEMPORAL_BUILD_ID?: string | undefined;
  /** Default: asynchronous. */
  readonly DATABASE_FAILOVER?: DatabaseFailover;
}

/** What differs between production, sandbox and tests. */
export interface ServiceOptions {
  readonly log: Log;
  readonly openDatabase: () => Promise<Database>;
  /** Default: read from the `TEMPORAL_*` variables. */
  readonly temporalConnection?: TemporalConnection;
  /** Default: those of production. */
  readonly circuitBreakers?: CircuitBreakerOptions | undefined;
  /** Default: none. */
  readonly tracing?: Tracing | undefined;
  /** Runs around each request of the payment gateway's adapter, inside metrics and circuit breakers. */
  readonly intercept?: PaymentGatewayInterceptor | undefined;
}

/**
 * How long the SDK may repeat the requests of a connection that nothing uses any more, in ms. What it repeats on a closed
 * connection throws where nobody can catch it.
 */
const lastRetryWithin = 30_000;

/** What the parts of one process share: API, worker, or both. */
export interface Service {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly database: Database;
  readonly stores: Stores;
  readonly paymentGateway: GuardedPaymentGateway;
  readonly dataConverter: DataConverter;
  /** For the Temporal Web UI. Throws for a payload that cannot be decrypted. */
  readonly decodePayloads: (payloads: readonly Payload[]) => Payload[];
  readonly temporalConnection: TemporalConnection;
  /** Connects on first use, so that a process can start while Temporal is unavailable. */
  readonly temporal: Client;
  readonly witness: DatabaseWitness;
  /** Makes sure that the payload keys are those used before. @throws {ConfigurationError} */
  requirePayloadKeys(): Promise<void>;
  /** To be called last, once nothing uses the service any more. */
  close(): Promise<void>;
}

/**
 * Opens what API, worker, sandbox and tests share, once per process. The composition root.
 * @throws what the database throws when it cannot be reached, and {@link MissingKeyError} when it needs a key that
 * `DATABASE_KEYS` does not have
 */
export async function openService(config: ServiceConfig, options: ServiceOptions): Promise<Service> {
  const database = await options.openDatabase();
  try {
    return await openOn(database, config, options);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openOn(database: Database, config: ServiceConfig, options: ServiceOptions): Promise<Service> {
  const { log, intercept, tracing = noTracing } = options;
  const metrics = createMetrics(config.TEMPORAL_BUILD_ID);
  const stores = createStores(database.queries, config.DATABASE_KEYS);
  await stores.databaseKeys.requireAll();
  await stores.incarnations.beginFirst();
  await stores.rowSeals.createKey();
  await stores.act(
    serviceActor,
    (acting) => acting.payloadKeys.requireSame(config.PAYLOAD_KEYS),
    (added) => added.map((payloadKeyId) => ({ action: 'payload key', details: { payloadKeyId } })),
  );
  const dataConverter = createDataConverter(config.PAYLOAD_KEYS);
  const connection = options.temporalConnection ?? temporalConnection(config);
  const temporal = createTemporalClient(connection, dataConverter);
  const witness = createDatabaseWitness(temporal);
  const stopWatching = await watchDatabase(
    { stores, witness, log, metrics },
    config.DATABASE_FAILOVER ?? 'asynchronous',
  );
  metrics.readFrom('database', () => readBacklog(database.queries));
  metrics.readFrom('temporal', () => readTemporal(temporal));

  const adapter = createHttpPaymentGateway({
    baseUrl: config.PG_BASE_URL,
    sharedSecret: config.PG_SHARED_SECRET,
    callbackUrl: config.PG_CALLBACK_URL,
    correlationHeaders: () => ({ ...correlationHeaders(), ...tracing.headers() }),
  });
  const measured = withRequestMetrics(
    withTracing(intercept ? interceptPaymentGateway(adapter, intercept) : adapter, tracing),
    metrics,
  );
  const paymentGateway = withCircuitBreakers(measured, options.circuitBreakers);
  metrics.readFrom('memory', async () => {
    const { max, active, idle, waiting } = database.connections();
    return [
      ...paymentGateway
        .openCircuits()
        .map((label) => ({ metric: 'payment_gateway_circuit_open' as const, label, value: 1 })),
      { metric: 'database_pool_connections', label: 'active', value: active },
      { metric: 'database_pool_connections', label: 'idle', value: idle },
      { metric: 'database_pool_max_connections', value: max },
      { metric: 'database_pool_waiting_requests', value: waiting },
    ];
  });

  return {
    log,
    metrics,
    tracing,
    database,
    stores,
    paymentGateway,
    dataConverter,
    decodePayloads: createWebUiDecoder(new KeyRing(config.PAYLOAD_KEYS)),
    temporalConnection: connection,
    temporal,
    witness,
    requirePayloadKeys: () => requireUnchangedPayloadKeys(database.queries, config.PAYLOAD_KEYS),
    async close() {
      stopWatching();
      await database.close();
      await tracing.close();
      setTimeout(() => void temporal.connection.close(), lastRetryWithin).unref();
    },
  };
}
