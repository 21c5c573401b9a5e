import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { requireReadable } from '../contract/unreadable-payload.ts';
import { grpcStatus } from './error-code.ts';

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

/**
 * Sends an update, and sends it again while Temporal drops it.
 * @param deadline when to stop repeating it, in Unix ms
 * @throws what `send` throws otherwise, and the last failure after the deadline
 */
export async function sendUpdate<Answer>(send: () => Promise<Answer>, deadline: number): Promise<Answer> {
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (!isLostUpdate(error) || Date.now() >= deadline) throw error;
    }
  }
}

/** The gRPC status FAILED_PRECONDITION. */
const failedPrecondition = 9;

/**
 * Temporal drops an update when the task that would have accepted it also closes the run and another event arrives
 * meanwhile. Its answer is then FAILED_PRECONDITION, and the update may be sent again.
 */
function isLostUpdate(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status = grpcStatus(error);
  return status === undefined ? isLostUpdate(error.cause) : status === failedPrecondition;
}
