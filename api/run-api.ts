import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { openProductionService } from '../composition/open-production-service.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import { enterOperators } from '../database/operators.ts';
import { ConfigurationError } from '../runtime/config.ts';
import type { HashedToken } from '../runtime/bearer-tokens.ts';
import type { apiConfigSchema } from '../runtime/config.ts';
import { errorCode } from '../runtime/error-code.ts';
import { startSweep } from '../runs/sweep.ts';
import type { SweepSettings } from '../runs/sweep.ts';
import { stopRequested } from '../runtime/process.ts';
import { requireNamespace } from '../runtime/temporal-namespace.ts';
import { isTransient } from '../runtime/transient-errors.ts';
import { untilAvailable } from '../runtime/until-available.ts';
import { createApp } from './app.ts';
import type { DocsPage } from './docs-page.ts';
import type { ApiParts } from './parts.ts';
import { startHousekeeping } from './registrations/housekeeping.ts';
import { requestLimits } from './http/request-limits.ts';
import { listen } from './http/server.ts';
import type { ListeningServer } from './http/server.ts';
import { createWaitingApp } from './waiting-app.ts';

/** The API's settings, named after their environment variables. */
type ApiConfig = Parameters<typeof requestLimits>[0] & {
  readonly PORT: number;
  readonly HOST: string;
  readonly KEEP_ALIVE_MS: number;
  readonly SHUTDOWN_DELAY_MS: number;
  readonly TIME_WINDOW_MS: number;
  readonly TRUSTED_PROXIES: number;
  readonly CODEC_ALLOWED_ORIGIN: string;
  readonly CODEC_TOKENS?: readonly HashedToken[];
  readonly OPERATOR_TOKENS?: readonly HashedToken[];
};

/** A running API. */
export interface RunningApi {
  /** Reports that it is not ready, serves for the shutdown delay, closes its port, and completes the current requests. */
  close(): Promise<void>;
}

/** When the API's background work runs. */
export interface BackgroundSettings {
  /** The time between two runs of the housekeeping, in ms. Default: an hour. */
  readonly housekeepingInterval?: number;
  /** Default: every minute. */
  readonly sweep?: SweepSettings;
}

/**
 * Starts the API with its housekeeping and its sweep.
 * @throws {ConfigurationError} when its port is taken
 */
export async function startApi(
  parts: Omit<ApiParts, 'timeWindow' | 'limits' | 'codec' | 'operatorTokens' | 'stopping'>,
  config: ApiConfig,
  { housekeepingInterval, sweep }: BackgroundSettings = {},
): Promise<RunningApi> {
  const stopping = new AbortController();
  const app = createApp({
    ...parts,
    stopping: stopping.signal,
    timeWindow: config.TIME_WINDOW_MS,
    trustedProxies: config.TRUSTED_PROXIES,
    limits: requestLimits(config),
    codec: { allowedOrigin: config.CODEC_ALLOWED_ORIGIN, tokens: config.CODEC_TOKENS },
    operatorTokens: config.OPERATOR_TOKENS,
  });
  const server = await listenOnPort(app, config, stopping.signal);
  parts.log.info({ port: server.port }, 'the API is listening');
  const stopHousekeeping = startHousekeeping(parts, housekeepingInterval);
  const stopSweep = startSweep(parts, sweep);
  return {
    async close() {
      const milliseconds = config.SHUTDOWN_DELAY_MS;
      parts.log.info({ milliseconds }, 'not ready any more; serving until load balancers have noticed');
      stopping.abort();
      stopHousekeeping();
      await Promise.all([stopSweep(), delay(milliseconds)]);
      await server.close();
    },
  };
}

/** @throws {ConfigurationError} when the port is taken */
async function listenOnPort(
  app: ReturnType<typeof createApp>,
  { PORT: port, HOST: host, KEEP_ALIVE_MS: keepAlive }: Pick<ApiConfig, 'PORT' | 'HOST' | 'KEEP_ALIVE_MS'>,
  stopping?: AbortSignal,
): Promise<ListeningServer> {
  return await listen(app, { port, host, limits: { keepAlive }, stopping }).catch((error: unknown) => {
    throw errorCode(error) === 'EADDRINUSE'
      ? new ConfigurationError(`PORT: ${port} is taken; set it to a free one.`)
      : error;
  });
}

/** What differs between production, development and a run under faults. */
export interface RunApiSettings extends BackgroundSettings {
  /** Called once the settings are accepted. */
  readonly loadDocsPage?: () => DocsPage | Promise<DocsPage>;
}

/**
 * Runs the API until the process is asked to stop.
 * @param policy the policy of the registrations that it accepts
 */
export async function runApi(
  config: z.output<typeof apiConfigSchema>,
  policy: RegistrationPolicy,
  settings: RunApiSettings,
): Promise<void> {
  const stop = stopRequested();
  const started = await Promise.race([stop, startWhenPossible(config, policy, settings)]);
  if (!started) return;
  const { service, api, temporalCheck } = started;
  await Promise.race([stop, temporalCheck.then(() => stop)]);
  await api.close();
  await service.close();
}

/** Starts the API once its database answers. Until then it serves its liveness. */
async function startWhenPossible(
  config: z.output<typeof apiConfigSchema>,
  policy: RegistrationPolicy,
  { loadDocsPage, ...background }: RunApiSettings,
) {
  const whileWaiting = await listenOnPort(createWaitingApp(), config);
  const service = await openProductionService('api', config);
  await enterOperators(service.stores, {
    tokens: config.OPERATOR_TOKENS,
    secondPersonFor: config.SECOND_PERSON_FOR,
  });
  const docsPage = await loadDocsPage?.();
  const { log, temporal, temporalConnection } = service;
  const checkTemporal = () => requireNamespace(temporal.connection, temporal.options.namespace);
  const isTemporalThere = await checkTemporal().then(
    () => true,
    (error: unknown) => {
      if (isTransient(error)) return false;
      throw error;
    },
  );
  await whileWaiting.close();
  const api = await startApi({ ...service, policy, docsPage }, config, background);
  // Without Temporal the API still answers for what has ended.
  const temporalCheck = isTemporalThere
    ? Promise.resolve()
    : untilAvailable(`Temporal at ${temporalConnection.connectionOptions.address}`, log, checkTemporal);
  return { service, api, temporalCheck };
}
