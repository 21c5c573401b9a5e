import { openPostgres } from '../database/database.ts';
import { findSandboxProjects } from '../database/projects-of-sandbox.ts';
import type { CircuitBreakerOptions } from '../payment-gateway/circuit-breakers.ts';
import { createLog } from '../runtime/log.ts';
import { untilAvailable } from '../runtime/until-available.ts';
import { refuseSandboxDefaults } from './sandbox-defaults.ts';
import type { GuardedSettings } from './sandbox-defaults.ts';
import { openService } from './open-service.ts';
import type { Service, ServiceConfig } from './open-service.ts';

/**
 * Opens a process that runs on PostgreSQL, and waits for it while it is unavailable.
 * @param name of the process, in its log
 * @throws {ConfigurationError} when NODE_ENV is `production` and a setting or the database belongs to a sandbox
 */
export async function openProductionService(
  name: string,
  config: ServiceConfig & GuardedSettings & { readonly DATABASE_URL: string },
  circuitBreakers?: CircuitBreakerOptions,
): Promise<Service> {
  const log = createLog(name, config.LOG_LEVEL);
  const untilDatabaseAnswers = <Result>(attempt: () => Promise<Result>) =>
    untilAvailable('PostgreSQL (DATABASE_URL)', log, attempt);
  await untilDatabaseAnswers(() =>
    refuseSandboxDefaults(config, () => findSandboxProjects(config.DATABASE_URL)),
  );
  const openDatabase = () => untilDatabaseAnswers(() => openPostgres(config.DATABASE_URL, log));
  return await openService(config, { log, openDatabase, circuitBreakers });
}
