import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { errorCode } from '../../runtime/error-code.ts';

/** A TCP port the sandbox will listen on. */
export interface RequiredPort {
  readonly port: number;
  /** What will listen on it, such as "the API". */
  readonly purpose: string;
  /** The environment variable that sets it. */
  readonly variable: string;
}

/** A port cannot be used, or two purposes have the same port. */
export class PortUnavailableError extends Error {
  override readonly name = 'PortUnavailableError';
}

/** @throws {PortUnavailableError} for the first port that is not free, naming the variable to change */
export async function requireFreePorts(ports: readonly RequiredPort[]): Promise<void> {
  for (const [index, { port, purpose, variable }] of ports.entries()) {
    const conflict = ports.slice(0, index).find((earlier) => earlier.port === port);
    if (conflict) {
      throw new PortUnavailableError(
        `${conflict.purpose} and ${purpose} would both use port ${port}. Change ${conflict.variable} or ${variable}.`,
      );
    }
    const failure = await listenFailure(port);
    if (failure) {
      throw new PortUnavailableError(
        `Port ${port} for ${purpose} ${failure}. Free it or set ${variable} to another port.`,
      );
    }
  }
}

/**
 * A TCP port that is currently free. It is below the ephemeral range (Linux from 32768, others from 49152), so no
 * outgoing connection takes it before the caller listens on it.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    if (!(await listenFailure(port))) return port;
  }
}

/** Tries every address, because some systems let one process listen on 127.0.0.1 and another on the wildcard. */
async function listenFailure(port: number): Promise<string | undefined> {
  for (const host of ['127.0.0.1', '::1', '0.0.0.0', '::']) {
    const server = createServer().listen({ port, host, exclusive: true });
    try {
      await once(server, 'listening');
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EADDRINUSE') return 'is already in use';
      if (code === 'EACCES') return 'requires more privileges';
      // Any other error means that this machine has no such address, for example no IPv6.
      continue;
    }
    server.close();
    await once(server, 'close');
  }
  return undefined;
}
