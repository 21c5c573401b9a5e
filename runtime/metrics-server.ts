import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { ConfigurationError } from './config.ts';

/** Where a process serves its metrics; without a port they are not served. */
export interface MetricsAddress {
  readonly METRICS_PORT?: number | undefined;
  readonly METRICS_HOST: string;
}

/**
 * Serves `GET /metrics` for Prometheus on a separate port, so that it is never reachable through the API's port.
 * @param current returns the metrics to be served
 * @returns a function that stops it
 * @throws {ConfigurationError} when the port is taken
 */
export async function serveMetrics(
  current: () => Registry,
  { METRICS_PORT: port, METRICS_HOST: host }: MetricsAddress,
): Promise<() => void> {
  if (port === undefined) return () => {};
  const server = createServer((request, response) => void answer(current(), request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', () => {
      reject(
        new ConfigurationError(`METRICS_PORT: ${port} of ${host} cannot be used; set it to a free one.`),
      );
    });
    server.listen(port, host, resolve);
  });
  return () => {
    server.close();
    server.closeAllConnections();
  };
}

async function answer(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET' && request.url === '/metrics') {
    response.writeHead(200, { 'Content-Type': registry.contentType }).end(await registry.metrics());
  } else {
    response.writeHead(404).end();
  }
}
