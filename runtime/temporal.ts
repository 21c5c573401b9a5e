import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';

/** Where Temporal is, read from the TEMPORAL_* variables or a configuration file as every Temporal tool reads them. */
export function temporalConnection() {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return {
    connectionOptions: { ...connectionOptions, address: connectionOptions.address ?? 'localhost:7233' },
    namespace: namespace ?? 'default',
  };
}

/** A client that connects on first use, so that a process can start while Temporal is away. */
export function createTemporalClient(
  { connectionOptions, namespace }: ReturnType<typeof temporalConnection>,
  dataConverter: DataConverter,
): Client {
  return new Client({ connection: Connection.lazy(connectionOptions), namespace, dataConverter });
}

/**
 * Sends an update, and again until `deadline`, in Unix ms, when Temporal has dropped it.
 * @throws what `send` throws otherwise
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
 * Temporal drops an update when the task that would have accepted it also closes the run and something else came in
 * meanwhile. It then asks to send the update again, by FAILED_PRECONDITION.
 */
function isLostUpdate(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (!isGrpcServiceError(error)) return isLostUpdate(error.cause);
  const code: number = error.code;
  return code === failedPrecondition;
}
