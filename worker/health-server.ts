import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Problem } from '../composition/readiness.ts';
import { ConfigurationError } from '../runtime/config.ts';

/** Where a worker serves its health; without a port it does not. */
interface HealthAddress {
  readonly HEALTH_PORT?: number | undefined;
  readonly HEALTH_HOST: string;
}

/**
 * Serves `GET /healthz`, liveness, and `GET /readyz`, which is 503 while there is a problem.
 * @returns a function that stops it
 * @throws {ConfigurationError} when the port is taken
 */
export async function serveHealth(
  { HEALTH_PORT: port, HEALTH_HOST: host }: HealthAddress,
  findProblems: () => Promise<readonly Pick<Problem, 'reason'>[]>,
): Promise<() => void> {
  if (port === undefined) return () => {};
  const respond = async (path: string | undefined, response: ServerResponse): Promise<void> => {
    if (path === '/healthz') return json(response, 200, { status: 'ok' });
    if (path !== '/readyz') return json(response, 404, {});
    const reasons = (await findProblems()).map(({ reason }) => reason);
    if (reasons.length > 0) return json(response, 503, { status: 'not ready', reasons });
    return json(response, 200, { status: 'ready', reasons });
  };
  const server = createServer(({ url }, response) => void respond(url, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', () =>
      reject(new ConfigurationError(`HEALTH_PORT: ${port} of ${host} cannot be used; set it to a free one.`)),
    );
    server.listen(port, host, resolve);
  });
  return () => {
    server.close();
    server.closeAllConnections();
  };
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
