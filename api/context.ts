import type { HttpBindings } from '@hono/node-server';
import type { Log } from '../runtime/log.ts';
import type { ResultCode } from '../wire/result-codes.ts';

/** The variables of a request, in Hono's context. */
export interface Api {
  Variables: {
    readonly log: Log;
    /** When the request arrived, as a `performance.now()` time. */
    arrival: number;
    /** Of the client, as far as the proxies in front are trusted. */
    address: string;
    /** The result code of the response, for the log and the metrics. */
    resultCode?: ResultCode;
    /** The authenticated service provider. */
    aspId?: string;
  };
}

/** The request's variables and its connection. */
export type ServedApi = Api & { readonly Bindings: HttpBindings };
