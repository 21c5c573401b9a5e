import { isAbsolute, join } from 'node:path';
import { ConfigurationError, sandboxConfigSchema } from '../../runtime/config.ts';
import { projectDirectory } from './project-directory.ts';
import type { WantedPort } from './ports.ts';

/** What the environment decides about a sandbox. */
export interface SandboxSettings {
  readonly port: number;
  readonly simulatorPort: number;
  readonly temporalPort: number;
  /** Always `temporalPort` + 1000. */
  readonly temporalUiPort: number;
  /** Absolute path. */
  readonly dataDirectory: string;
  /** Every setting of the service that the environment has; `main.ts` overrides those it decides itself. */
  readonly serviceEnvironment: Readonly<Record<string, string>>;
}

/**
 * Reads PORT, PG_SIMULATOR_PORT, TEMPORAL_PORT and DATA_DIR (relative to the project), each with its default.
 *
 * @throws {Error} naming the variable whose value is not a port number, or in production
 */
export function readSettings(environment: NodeJS.ProcessEnv): SandboxSettings {
  refuseProduction(environment);
  const temporalPort = readPort(environment, 'TEMPORAL_PORT', 7233, 64_535);
  const dataDirectory = environment['DATA_DIR'] || 'data';
  return {
    port: readPort(environment, 'PORT', 3000),
    simulatorPort: readPort(environment, 'PG_SIMULATOR_PORT', 3001),
    temporalPort,
    temporalUiPort: temporalPort + 1000,
    dataDirectory: isAbsolute(dataDirectory) ? dataDirectory : join(projectDirectory, dataDirectory),
    serviceEnvironment: Object.fromEntries(
      Object.keys(sandboxConfigSchema.shape).flatMap((name) =>
        environment[name] ? [[name, environment[name]]] : [],
      ),
    ),
  };
}

/** @throws {ConfigurationError} where NODE_ENV is `production`: a sandbox tells its keys to everybody */
export function refuseProduction(environment: NodeJS.ProcessEnv): void {
  if (environment['NODE_ENV'] !== 'production') return;
  throw new ConfigurationError(
    'The sandbox does not start in production (NODE_ENV): run `npm run api` and `npm run worker`.',
  );
}

/** Everything the sandbox listens on, with the variable that moves it. */
export function wantedPorts(settings: SandboxSettings): WantedPort[] {
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

function readPort(
  environment: NodeJS.ProcessEnv,
  variable: string,
  fallback: number,
  highest = 65_535,
): number {
  const text = environment[variable];
  if (text === undefined || text === '') return fallback;
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 1 && port <= highest) return port;
  throw new Error(`${variable} must be a port number from 1 to ${highest}; it is "${text}".`);
}
