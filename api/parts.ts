import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { Hono } from 'hono';
import type { DatabaseWitness } from '../composition/database-witness.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import type { Database } from '../database/database.ts';
import type { Stores } from '../database/stores.ts';
import type { PaymentGateway } from '../payment-gateway/payment-gateway.ts';
import type { HashedToken } from '../runtime/bearer-tokens.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Tracing } from '../runtime/tracing.ts';
import type { Api } from './context.ts';
import type { DocsPage } from './docs-page.ts';
import type { RequestLimits } from './http/request-limits.ts';

/** Everything that the API works with: its connections and its settings. */
export interface ApiParts {
  readonly stores: Stores;
  readonly database: Database;
  readonly temporal: Client;
  readonly paymentGateway: PaymentGateway;
  /** For the Temporal Web UI. Throws for a payload that cannot be decrypted. */
  readonly decodePayloads: (payloads: readonly Payload[]) => Payload[];
  /** See `Service`. */
  readonly requirePayloadKeys: () => Promise<void>;
  readonly witness: Pick<DatabaseWitness, 'read'>;
  readonly policy: RegistrationPolicy;
  /** How far the times of a request may be from the server's clock, in ms. */
  readonly timeWindow: number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Default: none. */
  readonly tracing?: Pick<Tracing, 'inSpan'> | undefined;
  readonly limits: RequestLimits;
  /** How many proxies in front of the API add the address of their client to X-Forwarded-For. Default: none. */
  readonly trustedProxies?: number | undefined;
  /** Who may decode payloads: the Temporal Web UI at this origin, with one of these bearer tokens if there are any. */
  readonly codec: { readonly allowedOrigin: string; readonly tokens?: readonly HashedToken[] | undefined };
  /** The bearer tokens of the operator routes. Without them anyone may read them. */
  readonly operatorTokens?: readonly HashedToken[] | undefined;
  /** The documentation page. Without it there is only openapi.json. */
  readonly docsPage?: DocsPage | undefined;
  /** Aborted when the process is asked to stop: it is no longer ready, but still serves. */
  readonly stopping?: AbortSignal | undefined;
  /** Only in the sandbox: adds its routes. With them the documentation page sends requests. */
  readonly serveSandbox?: ((app: Hono<Api>, parts: ApiParts) => void) | undefined;
}
