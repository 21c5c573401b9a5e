import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { requireReadable } from '../contract/unreadable-payload.ts';

/** The longest wait between two attempts to connect, in ms; gRPC varies it by a fifth. */
const reconnectWait = 2_000;

/** Where Temporal is: `connectionOptions` with the address, `host:port`, and the namespace. */
export type TemporalConnection = ReturnType<typeof temporalConnection>;

/**
 * Reads the TEMPORAL_* variables, or a configuration file, as every Temporal tool does. The API key may come from a file
 * of its own, too.
 */
export function temporalConnection({
  TEMPORAL_API_KEY: apiKey,
}: { readonly TEMPORAL_API_KEY?: string | undefined } = {}) {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return {
    connectionOptions: {
      ...connectionOptions,
      // As Temporal’s tools do, an API key is sent over TLS unless that is turned off.
      ...(apiKey && { apiKey, tls: connectionOptions.tls ?? true }),
      address: connectionOptions.address ?? 'localhost:7233',
    },
    namespace: namespace ?? 'default',
  };
}

/** A client that connects on first use, so that a process can start while Temporal is unavailable. */
export function createTemporalClient(
  { connectionOptions, namespace }: TemporalConnection,
  dataConverter: DataConverter,
): Client {
  return new Client({
    connection: Connection.lazy({
      ...connectionOptions,
      // Otherwise it is up to two minutes until a client notices that Temporal is back, and half a minute until it looks
      // whether that has a new address.
      channelArgs: {
        'grpc.max_reconnect_backoff_ms': reconnectWait,
        'grpc.dns_min_time_between_resolutions_ms': reconnectWait,
      },
    }),
    namespace,
    dataConverter,
    interceptors: { workflow: [{ query: async (input, next) => requireReadable(await next(input)) }] },
  });
}
