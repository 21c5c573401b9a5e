import { openPostgres } from '../database/database.ts';
import { inspectDatabase } from '../database/inspection.ts';
import type { CircuitBreakerOptions } from '../payment-gateway/circuit-breakers.ts';
import { createLog } from '../runtime/log.ts';
import { startTracing } from '../runtime/tracing.ts';
import type { TracingSettings } from '../runtime/tracing.ts';
import { untilAvailable } from '../runtime/until-available.ts';
import { temporalConnection } from '../runtime/temporal.ts';
import { openService } from './open-service.ts';
import type { Service, ServiceConfig } from './open-service.ts';
import { refuseUnfitSettings } from './production-settings.ts';
import type { ProductionSettings } from './production-settings.ts';

/** Attempts once, in place of {@link untilAvailable}. */
export const atOnce: typeof untilAvailable = (_, __, attempt) => attempt();

/** What differs between processes, and between the start and a reload of their settings. */
export interface ProductionServiceOptions {
  readonly circuitBreakers?: CircuitBreakerOptions | undefined;
  /** Default: waits for PostgreSQL while it is unavailable. */
  readonly wait?: typeof untilAvailable;
}

/**
 * Opens a process that runs on PostgreSQL.
 * @param name of the process, in its log
 * @throws {ConfigurationError} in production, when a setting or the database is not fit for it
 */
export async function openProductionService(
  name: string,
  config: ServiceConfig &
    TracingSettings &
    Omit<ProductionSettings, 'temporal'> & { readonly DATABASE_CONNECTIONS: number },
  { circuitBreakers, wait = untilAvailable }: ProductionServiceOptions = {},
): Promise<Service> {
  const log = createLog(name, config.LOG_LEVEL);
  const untilDatabaseAnswers = <Result>(attempt: () => Promise<Result>) =>
    wait('PostgreSQL (DATABASE_URL)', log, attempt);
  const temporal = temporalConnection(config);
  await untilDatabaseAnswers(() =>
    refuseUnfitSettings({ ...config, temporal }, () => inspectDatabase(config.DATABASE_URL)),
  );
  const openDatabase = () =>
    untilDatabaseAnswers(() => openPostgres(config.DATABASE_URL, log, config.DATABASE_CONNECTIONS));
  const tracing = await startTracing(name, config, log);
  return await openService(config, {
    log,
    openDatabase,
    circuitBreakers,
    temporalConnection: temporal,
    tracing,
  });
}
