import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { ConfigurationError, portSchema, readConfig } from '../../runtime/config.ts';
import { findIgnoredSettings, readServiceSettings } from './config.ts';
import { projectDirectory } from './project-directory.ts';
import type { RequiredPort } from './ports.ts';

/** The Web UI listens this far above TEMPORAL_PORT, as Temporal's own development server has it. */
const uiPortOffset = 1_000;

const settingsSchema = z.object({
  PORT: portSchema.default(3000),
  PG_SIMULATOR_PORT: portSchema.default(3001),
  TEMPORAL_PORT: portSchema
    .max(65_535 - uiPortOffset)
    .default(7233)
    .describe(`the Web UI has the port ${uiPortOffset} above it`),
  DATA_DIR: z.string().default('data'),
});

/** The sandbox's settings, read from the environment. */
export interface SandboxSettings {
  readonly port: number;
  readonly simulatorPort: number;
  readonly temporalPort: number;
  /** `temporalPort` + 1000. */
  readonly temporalUiPort: number;
  /** Absolute path. */
  readonly dataDirectory: string;
  /** The settings of the service found in the environment, except those that the sandbox decides itself. */
  readonly serviceEnvironment: Readonly<Record<string, string>>;
  /** The names of the settings found in the environment that the sandbox decides itself. */
  readonly ignored: readonly string[];
}

/**
 * Reads PORT, PG_SIMULATOR_PORT, TEMPORAL_PORT and DATA_DIR (relative to the project directory), all optional.
 *
 * @throws {ConfigurationError} naming every invalid variable, or in production
 */
export function readSettings(environment: NodeJS.ProcessEnv): SandboxSettings {
  refuseProduction(environment);
  const config = readConfig(settingsSchema, environment, (path) => readFileSync(path, 'utf8'));
  return {
    port: config.PORT,
    simulatorPort: config.PG_SIMULATOR_PORT,
    temporalPort: config.TEMPORAL_PORT,
    temporalUiPort: config.TEMPORAL_PORT + uiPortOffset,
    dataDirectory: resolve(projectDirectory, config.DATA_DIR),
    serviceEnvironment: readServiceSettings(environment),
    ignored: findIgnoredSettings(environment),
  };
}

/** @throws {ConfigurationError} when NODE_ENV is `production`, because a sandbox publishes its keys */
export function refuseProduction(environment: NodeJS.ProcessEnv): void {
  if (environment['NODE_ENV'] !== 'production') return;
  throw new ConfigurationError(
    'The sandbox does not start in production (NODE_ENV): run `node dist/api/main.js` and `node dist/worker/main.js`.',
  );
}

/** The ports the sandbox listens on, each with the variable that changes it. */
export function requiredPorts(settings: SandboxSettings): RequiredPort[] {
  return [
    { port: settings.port, purpose: 'the API', variable: 'PORT' },
    {
      port: settings.simulatorPort,
      purpose: 'the payment gateway simulator',
      variable: 'PG_SIMULATOR_PORT',
    },
    { port: settings.temporalPort, purpose: 'the Temporal server', variable: 'TEMPORAL_PORT' },
    {
      port: settings.temporalUiPort,
      purpose: 'the Temporal Web UI (TEMPORAL_PORT + 1000)',
      variable: 'TEMPORAL_PORT',
    },
  ];
}
