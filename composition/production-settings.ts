import ipaddr from 'ipaddr.js';
import type { DatabaseInspection } from '../database/inspection.ts';
import { ConfigurationError } from '../runtime/config.ts';
import { findUnprotectedConnections } from './unprotected-connections.ts';
import type { ConnectionSettings } from './unprotected-connections.ts';
import { findWeakSecrets } from './weak-secrets.ts';
import type { SecretSettings } from './weak-secrets.ts';

const hour = 3_600_000;

/** How far a request's time may be from ours at most, in ms. */
const maxTimeWindow = 15 * 60_000;

/** When members may be called at most, in ms since midnight in Korea. */
const daytime = { from: 8 * hour, until: 21 * hour };

/** The limits per day, and how high they may be at most. */
const dailyLimits = [
  'ARS_CALLS_PER_MEMBER',
  'ARS_CALLS_PER_PHONE',
  'ARS_CALLS_PER_ACCOUNT',
  'ARS_CALLS_PER_PROVIDER',
  'ARS_CALLS_PER_OTHER_PHONE',
  'ACCOUNT_CHECKS_PER_MEMBER',
] as const;
const maxPerDay = 50;

/** The settings that are checked in production, by the names of their environment variables. */
export interface ProductionSettings extends SecretSettings, ConnectionSettings {
  readonly NODE_ENV?: string | undefined;
  readonly NODE_OPTIONS?: string | undefined;
  readonly NODE_TLS_REJECT_UNAUTHORIZED?: string | undefined;
  readonly LOG_LEVEL: string;
  readonly PG_BASE_URL: string;
  readonly PG_CALLBACK_URL: string;
  readonly CODEC_ALLOWED_ORIGIN?: string;
  readonly TIME_WINDOW_MS?: number;
  /** Undefined where members may be called at any hour. */
  readonly CALLING_HOURS?: { readonly from: number; readonly until: number } | undefined;
  readonly ARS_CALLS_PER_MEMBER?: number;
  readonly ARS_CALLS_PER_PHONE?: number;
  readonly ARS_CALLS_PER_ACCOUNT?: number;
  readonly ARS_CALLS_PER_PROVIDER?: number;
  readonly ARS_CALLS_PER_OTHER_PHONE?: number;
  readonly ACCOUNT_CHECKS_PER_MEMBER?: number;
}

/** Whether a process runs in production: anything but `development` and `test` counts as that. */
export function isProduction({ NODE_ENV: name }: Pick<ProductionSettings, 'NODE_ENV'>): boolean {
  return name !== 'development' && name !== 'test';
}

/**
 * Refuses settings, and a database, that are not fit for production.
 * @param inspectDatabase says what production does not allow of the database
 * @throws {ConfigurationError} with every reason at once, each with its remedy; it never shows values
 * @throws what `inspectDatabase` throws, if no setting is refused: an unreachable database may hold a sandbox's data
 */
export async function refuseUnfitSettings(
  settings: ProductionSettings,
  inspectDatabase: () => Promise<DatabaseInspection>,
): Promise<void> {
  if (!isProduction(settings)) return;
  const unfit = findUnfitSettings(settings);
  const inspection = await inspectDatabase().catch((error: unknown) => {
    if (unfit.length === 0) throw error;
    return undefined;
  });
  const reasons = [...unfit, ...(inspection ? findUnfitDatabase(inspection) : [])];
  if (reasons.length === 0) return;
  throw new ConfigurationError(
    `These settings are not allowed in production, which is what runs unless NODE_ENV is development:\n${reasons.map((reason) => `  ${reason}.`).join('\n')}`,
  );
}

function findUnfitSettings(settings: ProductionSettings): string[] {
  const reasons: string[] = [...findWeakSecrets(settings), ...findUnprotectedConnections(settings)];
  const refuseIf = (isWrong: boolean, reason: string) => isWrong && reasons.push(reason);

  for (const name of ['PG_BASE_URL', 'PG_CALLBACK_URL', 'CODEC_ALLOWED_ORIGIN'] as const) {
    const value = settings[name];
    if (value === undefined) continue;
    const { protocol, hostname } = new URL(value);
    refuseIf(protocol !== 'https:', `${name}: it is plaintext. Begin it with https://`);
    refuseIf(isThisMachine(hostname), `${name}: it points to this machine. Name the system in production`);
  }
  const { TIME_WINDOW_MS: timeWindow = 0, CALLING_HOURS: hours } = settings;
  refuseIf(
    timeWindow > maxTimeWindow,
    `TIME_WINDOW_MS: old requests could be replayed. Set ${maxTimeWindow} at most`,
  );
  const callsByDay =
    hours && hours.from < hours.until && hours.from >= daytime.from && hours.until <= daytime.until;
  refuseIf(
    'CALLING_HOURS' in settings && !callsByDay,
    'CALLING_HOURS: members must not be called at night. Stay within 08:00-21:00',
  );
  for (const name of dailyLimits) {
    const limit = settings[name] ?? 0;
    refuseIf(limit > maxPerDay, `${name}: members must be left in peace. Set ${maxPerDay} at most`);
  }
  const share = settings.ARS_CALLS_PER_PROVIDER ?? 0;
  for (const whole of ['ARS_CALLS_PER_PHONE', 'ARS_CALLS_PER_ACCOUNT'] as const) {
    refuseIf(
      share >= (settings[whole] ?? Infinity),
      `ARS_CALLS_PER_PROVIDER: one service provider could use up the calls of others. Set less than ${whole}`,
    );
  }
  const isVerbose = ['debug', 'trace'].includes(settings.LOG_LEVEL);
  refuseIf(isVerbose, 'LOG_LEVEL: debug and trace are for development. Set info');
  refuseIf(
    settings.NODE_TLS_REJECT_UNAUTHORIZED === '0',
    'NODE_TLS_REJECT_UNAUTHORIZED: certificates are not checked. Remove it, and name your authority in NODE_EXTRA_CA_CERTS',
  );
  const [unsafeOption] =
    /--(inspect|insecure-http-parser|tls-keylog|tls-min-v1\.[01])\S*/.exec(
      [settings.NODE_OPTIONS, ...process.execArgv].join(' '),
    ) ?? [];
  refuseIf(unsafeOption !== undefined, `NODE_OPTIONS: ${unsafeOption} opens the process. Remove it`);
  return reasons;
}

function findUnfitDatabase({ sandboxProjects, dangerousRights }: DatabaseInspection): string[] {
  return [
    ...(sandboxProjects.length > 0
      ? [
          `DATABASE_URL: the database holds the sandbox's projects (${sandboxProjects.join(', ')}). Use another database`,
        ]
      : []),
    ...(dangerousRights.length > 0
      ? [
          `DATABASE_URL: its role may do too much (${dangerousRights.join(', ')}). Use a role without these rights`,
        ]
      : []),
  ];
}

function isThisMachine(hostname: string): boolean {
  const literal = hostname.replace(/^\[|\]$/g, '');
  if (!ipaddr.isValid(literal)) return literal === 'localhost' || literal.endsWith('.localhost');
  return ['loopback', 'unspecified'].includes(ipaddr.process(literal).range());
}
