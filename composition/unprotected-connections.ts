import ipaddr from 'ipaddr.js';
import { protectionOf } from '../database/inspection.ts';
import type { PlaintextConnection } from '../runtime/config.ts';
import type { TemporalConnection } from '../runtime/temporal.ts';

/** The settings of connections inside the deployment, by the names of their environment variables. */
export interface ConnectionSettings {
  readonly DATABASE_URL: string;
  readonly METRICS_HOST: string;
  readonly METRICS_PORT?: number | undefined;
  readonly TEMPORAL_METRICS_PORT?: number | undefined;
  /** The connections that may be plaintext. */
  readonly PLAINTEXT_ON_PRIVATE_NETWORK: readonly PlaintextConnection[];
  /** As the `TEMPORAL_*` variables say. */
  readonly temporal: Pick<TemporalConnection, 'connectionOptions'>;
}

/** The connections that are plaintext without permission, each with the remedy. */
export function findUnprotectedConnections(settings: ConnectionSettings): string[] {
  const { METRICS_HOST: metricsHost, PLAINTEXT_ON_PRIVATE_NETWORK: permitted } = settings;
  const permit = (name: PlaintextConnection) =>
    `on a private network permit plaintext: PLAINTEXT_ON_PRIVATE_NETWORK=${[...permitted, name].join(',')}`;
  const problemOf = (connection: PlaintextConnection, host: string, remedy: string) => {
    if (!permitted.includes(connection)) return `it is plaintext. ${remedy}, or ${permit(connection)}`;
    return rangeOf(host) === 'public' ? `it is plaintext, at a public address. ${remedy}` : undefined;
  };

  const database = protectionOf(settings.DATABASE_URL);
  const { address, tls } = settings.temporal.connectionOptions;
  const servesMetrics = settings.METRICS_PORT !== undefined || settings.TEMPORAL_METRICS_PORT !== undefined;
  const problems = {
    DATABASE_URL:
      database.protection === 'NONE'
        ? problemOf('postgresql', database.host, 'Add sslmode=verify-full')
        : database.protection === 'UNVERIFIED'
          ? 'its certificate is not checked. Set sslmode=verify-full'
          : undefined,
    TEMPORAL_ADDRESS: tls
      ? undefined
      : problemOf('temporal', address.replace(/:\d+$/, ''), 'Set TEMPORAL_TLS=true'),
    METRICS_HOST:
      servesMetrics && rangeOf(metricsHost) !== 'private'
        ? problemOf('metrics', metricsHost, 'Name a private address of this machine')
        : undefined,
  };
  return Object.entries(problems)
    .filter(([, problem]) => problem !== undefined)
    .map(([name, problem]) => `${name}: ${problem}`);
}

/** Where a host is; `unknown` for a name, and for every address of a machine at once. */
function rangeOf(host: string): 'private' | 'public' | 'unknown' {
  const literal = host.replace(/^\[|\]$/g, '');
  if (!ipaddr.isValid(literal)) return literal === 'localhost' ? 'private' : 'unknown';
  const range = ipaddr.process(literal).range();
  if (range === 'unspecified') return 'unknown';
  return range === 'unicast' ? 'public' : 'private';
}
