import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { errorCode } from './error-code.ts';

/** A TCP port the sandbox is going to listen on. */
export interface WantedPort {
  readonly port: number;
  /** What will listen there, e.g. "the API". */
  readonly purpose: string;
  /** The environment variable that decides the port. */
  readonly variable: string;
}

/** A port cannot be listened on, or two purposes want the same one. */
export class PortUnavailableError extends Error {
  override readonly name = 'PortUnavailableError';
}

/** @throws {PortUnavailableError} naming the variable to change, for the first port that is not free */
export async function requireFreePorts(wanted: readonly WantedPort[]): Promise<void> {
  for (const [index, { port, purpose, variable }] of wanted.entries()) {
    const rival = wanted.slice(0, index).find((earlier) => earlier.port === port);
    if (rival) {
      throw new PortUnavailableError(
        `${rival.purpose} and ${purpose} would both use port ${port}. Change ${rival.variable} or ${variable}.`,
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
 * A TCP port that is free on 127.0.0.1 at this moment. It is below those that systems give to outgoing connections
 * (Linux from 32768, others from 49152), so that none of these takes it before somebody listens there.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    if (!(await listenFailure(port))) return port;
  }
}

/** Each address is tried: some systems let one listener have 127.0.0.1 and another one the wildcard. */
async function listenFailure(port: number): Promise<string | undefined> {
  for (const host of ['127.0.0.1', '::1', '0.0.0.0', '::']) {
    const server = createServer().listen({ port, host, exclusive: true });
    try {
      await once(server, 'listening');
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EADDRINUSE') return 'is already in use';
      if (code === 'EACCES') return 'may not be used without more rights';
      // Otherwise this machine has no such address, e.g. no IPv6.
      continue;
    }
    server.close();
    await once(server, 'close');
  }
  return undefined;
}
