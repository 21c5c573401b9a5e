import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { deploymentPolicy } from '../composition/deployment-policy.ts';
import { atOnce, openProductionService } from '../composition/open-production-service.ts';
import type { Service } from '../composition/open-service.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import { enterOperators } from '../database/operators.ts';
import { ConfigurationError } from '../runtime/config.ts';
import type { HashedToken } from '../runtime/bearer-tokens.ts';
import type { apiConfigSchema } from '../runtime/config.ts';
import { errorCode } from '../runtime/error-code.ts';
import { startSweep } from '../runs/sweep.ts';
import type { SweepSettings } from '../runs/sweep.ts';
import { serveMetrics } from '../runtime/metrics-server.ts';
import { stopRequested } from '../runtime/process.ts';
import { watchSettings } from '../runtime/reloaded-settings.ts';
import type { SettingsSource } from '../runtime/reloaded-settings.ts';
import { requireNamespace } from '../runtime/temporal-namespace.ts';
import { isTransient } from '../runtime/transient-errors.ts';
import { untilAvailable } from '../runtime/until-available.ts';
import { createApp } from './app.ts';
import type { DocsPage } from './docs-page.ts';
import type { ApiParts } from './parts.ts';
import { startHousekeeping } from './registrations/housekeeping.ts';
import { requestLimits } from './http/request-limits.ts';
import { listen } from './http/server.ts';
import type { ListeningServer, ServedApp } from './http/server.ts';
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
  /** Serves further requests with other parts and settings. The port stays the same. */
  replace(parts: GivenParts, config: ApiConfig): Promise<void>;
  /** Reports that it is not ready, serves for the shutdown delay, closes its port, and completes the current requests. */
  close(): Promise<void>;
}

/** The parts of the API that its settings do not decide. */
type GivenParts = Omit<
  ApiParts,
  'timeWindow' | 'limits' | 'codec' | 'operatorTokens' | 'stopping' | 'trustedProxies'
>;

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
  parts: GivenParts,
  config: ApiConfig,
  background: BackgroundSettings = {},
): Promise<RunningApi> {
  const stopping = new AbortController();
  let app = createAppFor(parts, config, stopping.signal);
  const server = await listenOnPort(
    { fetch: (...request) => app.fetch(...request) },
    config,
    stopping.signal,
  );
  parts.log.info({ port: server.port }, 'the API is listening');
  let stopBackground = startBackground(parts, background);
  return {
    async replace(otherParts, otherConfig) {
      app = createAppFor(otherParts, otherConfig, stopping.signal);
      await stopBackground();
      stopBackground = startBackground(otherParts, background);
    },
    async close() {
      const milliseconds = config.SHUTDOWN_DELAY_MS;
      parts.log.info({ milliseconds }, 'not ready any more; serving until load balancers have noticed');
      stopping.abort();
      await Promise.all([stopBackground(), delay(milliseconds)]);
      await server.close();
    },
  };
}

function createAppFor(parts: GivenParts, config: ApiConfig, stopping: AbortSignal) {
  return createApp({
    ...parts,
    stopping,
    timeWindow: config.TIME_WINDOW_MS,
    trustedProxies: config.TRUSTED_PROXIES,
    limits: requestLimits(config),
    codec: { allowedOrigin: config.CODEC_ALLOWED_ORIGIN, tokens: config.CODEC_TOKENS },
    operatorTokens: config.OPERATOR_TOKENS,
  });
}

function startBackground(parts: GivenParts, { housekeepingInterval, sweep }: BackgroundSettings) {
  const stopHousekeeping = startHousekeeping(parts, housekeepingInterval);
  const stopSweep = startSweep(parts, sweep);
  return async () => {
    stopHousekeeping();
    await stopSweep();
  };
}

/** @throws {ConfigurationError} when the port is taken */
async function listenOnPort(
  app: ServedApp,
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
  /** The policy of the registrations that it accepts. Default: that of production, with the limits of the settings. */
  readonly policy?: RegistrationPolicy;
  /** Called once the settings are accepted. */
  readonly loadDocsPage?: () => DocsPage | Promise<DocsPage>;
}

/** How long requests may still use what other settings have replaced, in ms: longer than any of them takes. */
const retirement = 30_000;

type Settings = z.output<typeof apiConfigSchema>;

/** Runs the API until the process is asked to stop. It follows changes of the files that hold its settings. */
export async function runApi(source: SettingsSource<Settings>, settings: RunApiSettings): Promise<void> {
  const stop = stopRequested();
  const watch = watchSettings(source.files);
  const config = source.read();
  const started = await Promise.race([stop, startWhenPossible(config, settings)]);
  if (!started) return;
  const { api, temporalCheck, partsFor } = started;
  let { service } = started;
  const { log } = service;
  const stopMetrics = await serveMetrics(() => service.metrics.registry, config);
  const closed = new AbortController();
  const retiring: Promise<void>[] = [];
  const stopWatching = watch(log, async () => {
    const changed = source.read();
    const former = service;
    const next = await openProductionService('api', changed, { wait: atOnce });
    try {
      await requireNamespace(next.temporal.connection, next.temporal.options.namespace);
      await enterOperatorsOf(next, changed);
    } catch (error) {
      await next.close();
      throw error;
    }
    service = next;
    await api.replace(partsFor(next, changed), changed);
    retiring.push(
      delay(retirement, undefined, { signal: closed.signal })
        .catch(() => {})
        .then(() => former.close()),
    );
  });
  await Promise.race([stop, temporalCheck.then(() => stop)]);
  await stopWatching();
  await api.close();
  closed.abort();
  stopMetrics();
  await Promise.all([...retiring, service.close()]);
}

/** Starts the API once its database answers. Until then it serves its liveness. */
async function startWhenPossible(config: Settings, settings: RunApiSettings) {
  const { loadDocsPage, policy, ...background } = settings;
  const whileWaiting = await listenOnPort(createWaitingApp(), config);
  const service = await openProductionService('api', config);
  await enterOperatorsOf(service, config);
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
  const partsFor = (opened: Service, given: Settings): GivenParts => ({
    ...opened,
    policy: policy ?? deploymentPolicy(given),
    docsPage,
  });
  const api = await startApi(partsFor(service, config), config, background);
  // Without Temporal the API still answers for what has ended.
  const temporalCheck = isTemporalThere
    ? Promise.resolve()
    : untilAvailable(`Temporal at ${temporalConnection.connectionOptions.address}`, log, checkTemporal);
  return { service, api, temporalCheck, partsFor };
}

async function enterOperatorsOf({ stores }: Service, config: Settings): Promise<void> {
  await enterOperators(stores, {
    tokens: config.OPERATOR_TOKENS,
    secondPersonFor: config.SECOND_PERSON_FOR,
  });
}
