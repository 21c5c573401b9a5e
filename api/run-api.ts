import type { z } from 'zod';
import { openProductionService } from '../composition/open-production-service.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import { ConfigurationError } from '../runtime/config.ts';
import type { apiConfigSchema } from '../runtime/config.ts';
import { errorCode } from '../runtime/error-code.ts';
import { stopRequested } from '../runtime/process.ts';
import { createApp } from './app.ts';
import type { DocsPage } from './docs-page.ts';
import type { ApiParts } from './parts.ts';
import { startHousekeeping } from './registrations/housekeeping.ts';
import type { HousekeepingTimes } from './registrations/housekeeping.ts';
import { requestLimits } from './http/request-limits.ts';
import { listen } from './http/server.ts';

/** The API's settings, named after their environment variables. */
type ApiConfig = Parameters<typeof requestLimits>[0] & {
  readonly PORT: number;
  readonly HOST: string;
  readonly TIME_WINDOW_MS: number;
  readonly CODEC_ALLOWED_ORIGIN: string;
  readonly CODEC_TOKEN?: string;
  readonly OPERATOR_TOKEN?: string;
};

/** A running API. */
export interface RunningApi {
  /** Stops accepting requests, responds to the current ones and stops. */
  close(): Promise<void>;
}

/**
 * Starts the API and its housekeeping.
 * @throws {ConfigurationError} when its port is taken
 */
export async function startApi(
  parts: Omit<ApiParts, 'timeWindow' | 'limits' | 'codec' | 'operatorToken'>,
  config: ApiConfig,
  housekeepingTimes?: HousekeepingTimes,
): Promise<RunningApi> {
  const app = createApp({
    ...parts,
    timeWindow: config.TIME_WINDOW_MS,
    limits: requestLimits(config),
    codec: { allowedOrigin: config.CODEC_ALLOWED_ORIGIN, token: config.CODEC_TOKEN },
    operatorToken: config.OPERATOR_TOKEN,
  });
  const server = await listen(app, { port: config.PORT, host: config.HOST }).catch((error: unknown) => {
    throw errorCode(error) === 'EADDRINUSE'
      ? new ConfigurationError(`PORT: ${config.PORT} is taken; set it to a free one.`)
      : error;
  });
  parts.log.info({ port: server.port }, 'the API is listening');
  const stopHousekeeping = startHousekeeping(parts, housekeepingTimes);
  return {
    async close() {
      stopHousekeeping();
      await server.close();
    },
  };
}

/** What differs between production, development and a run under faults. */
export interface RunApiSettings {
  /** Called once the settings are accepted. */
  readonly loadDocsPage?: () => DocsPage | Promise<DocsPage>;
  readonly housekeepingTimes?: HousekeepingTimes;
}

/**
 * Runs the API until the process is asked to stop.
 * @param policy the policy of the registrations that it accepts
 */
export async function runApi(
  config: z.output<typeof apiConfigSchema>,
  policy: RegistrationPolicy,
  { loadDocsPage, housekeepingTimes }: RunApiSettings,
): Promise<void> {
  const service = await openProductionService('api', config);
  const docsPage = await loadDocsPage?.();
  const api = await startApi({ ...service, policy, docsPage }, config, housekeepingTimes);
  await stopRequested();
  await api.close();
  await service.close();
}
