import { openPostgres } from '../database/database.ts';
import { findSandboxProjects } from '../database/projects-of-sandbox.ts';
import type { CircuitBreakerOptions } from '../payment-gateway/circuit-breakers.ts';
import { createLog } from '../runtime/log.ts';
import { refuseSandboxDefaults } from './sandbox-defaults.ts';
import type { GuardedSettings } from './sandbox-defaults.ts';
import { openService } from './open-service.ts';
import type { Service, ServiceConfig } from './open-service.ts';

/**
 * Opens a process that runs on PostgreSQL.
 * @param name of the process, in its log
 * @throws {ConfigurationError} when NODE_ENV is `production` and a setting or the database belongs to a sandbox
 */
export async function openProductionService(
  name: string,
  config: ServiceConfig & GuardedSettings & { readonly DATABASE_URL: string },
  circuitBreakers?: CircuitBreakerOptions,
): Promise<Service> {
  await refuseSandboxDefaults(config, () => findSandboxProjects(config.DATABASE_URL));
  const log = createLog(name, config.LOG_LEVEL);
  const openDatabase = () => openPostgres(config.DATABASE_URL, log);
  return await openService(config, { log, openDatabase, circuitBreakers });
}
