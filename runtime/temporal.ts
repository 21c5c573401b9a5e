import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { requireReadable } from '../contract/unreadable-payload.ts';

/** Where Temporal is: `connectionOptions` with the address, `host:port`, and the namespace. */
export type TemporalConnection = ReturnType<typeof temporalConnection>;

/** Reads the TEMPORAL_* variables, or a configuration file, as every Temporal tool does. */
export function temporalConnection() {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return {
    connectionOptions: { ...connectionOptions, address: connectionOptions.address ?? 'localhost:7233' },
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
      // Otherwise it is more than a minute until a client notices that Temporal is back.
      channelArgs: { 'grpc.max_reconnect_backoff_ms': 5_000 },
    }),
    namespace,
    dataConverter,
    interceptors: { workflow: [{ query: async (input, next) => requireReadable(await next(input)) }] },
  });
}
