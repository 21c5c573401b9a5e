import type { PayloadCodec } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import type { PaymentGateway } from '../payment-gateway/payment-gateway.ts';
import type { Database } from '../database/database.ts';
import type { Stores } from '../database/stores.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { RequestLimits } from './http/request-limits.ts';

/** What the API reaches the world through, and its settings. */
export interface ApiParts {
  readonly stores: Stores;
  readonly database: Pick<Database, 'ping'>;
  readonly temporal: Client;
  readonly paymentGateway: PaymentGateway;
  readonly payloadCodec: PayloadCodec;
  readonly policy: RegistrationPolicy;
  /** How far the times of a request may be from the server's clock, in ms. */
  readonly timeWindow: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly limits: RequestLimits;
  /** Who may decode payloads: the Web UI's origin, with this bearer token unless it is absent. */
  readonly codec: { readonly allowedOrigin: string; readonly token?: string | undefined };
  /** The bearer token of operators; absent where anyone may see their routes. */
  readonly operatorToken?: string | undefined;
  /** In sandbox mode only: the credentials anyone may read. */
  readonly sandboxCredentials?: (() => object) | undefined;
  /** In sandbox mode only: the page of the simulated phone. */
  readonly phoneUrl?: string | undefined;
}

/** What travels with a request through Hono. */
export interface Api {
  Variables: {
    readonly log: Log;
    correlationId: string;
    /** When the request came, by `performance.now()`. */
    arrival: number;
    /** The code the request was answered with, for the log. */
    resultCode?: ResultCode;
    /** Who called, once that is certain. */
    aspId?: string;
  };
}
