import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { startLoadBalancer } from '../fixtures/load-balancer.ts';
import { call, registration } from '../fixtures/wire-client.ts';
import { startProgram } from './process-group.ts';
import { openOnPostgres, startSurroundings } from './surroundings.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stdout.write('DATABASE_URL is not set: nothing is restarted behind a load balancer.\n');
}

/** Ten requests a second, and at least as many. */
const [requestInterval, leastRequests] = [100, 500];
/** Every fifth request registers a member, while there are any; the others ask for a status. */
const [registrationEvery, members] = [5, 99];

it.runIf(databaseUrl)(
  'two APIs behind a load balancer are restarted in turn, and no request is refused, reset or failed',
  async () => {
    const { environment } = await startSurroundings();
    const service = await openOnPostgres(databaseUrl!, environment);
    const [project] = service.projects;
    const start = async (port: number) => {
      const api = startProgram('development/run-from-source/api.ts', {
        ...environment,
        DATABASE_URL: service.databaseUrl,
        PORT: String(port),
      });
      await api.untilOutput(/the API is listening/);
      return api;
    };
    const ports = [await findFreePort(), await findFreePort()];
    const apis = await Promise.all(ports.map(start));
    const backends = ports.map((port) => `http://127.0.0.1:${port}`);
    const balancer = await startLoadBalancer(backends);
    onTestFinished(() => balancer.close());
    await Promise.all(backends.map((backend) => balancer.until('USED', backend)));

    const first = await call(backends[0]!, project, '/ars/register', registration(project, members));
    const regNo = first.body['bankAccRegNo'];

    const requests: Promise<string>[] = [];
    const restart = { isOver: false };
    const request = async (index: number): Promise<string> => {
      const member = index / registrationEvery;
      const answered =
        Number.isInteger(member) && member < members
          ? call(balancer.url, project, '/ars/register', registration(project, member))
          : call(balancer.url, project, '/ars/register/inquiry', { regNo });
      return await answered.then(
        ({ status, body }) => `${status} ${body.response.code}`,
        (error: Error) => `${error.message}: ${String(error.cause)}`,
      );
    };
    const load = (async () => {
      const startedAt = performance.now();
      while (!restart.isOver || requests.length < leastRequests) {
        requests.push(request(requests.length));
        await delay(startedAt + requests.length * requestInterval - performance.now());
      }
    })();
    for (const [index, port] of ports.entries()) {
      apis[index]!.terminate();
      expect(await apis[index]!.exited).toBe(0);
      await start(port);
      await balancer.until('USED', backends[index]!);
    }
    restart.isOver = true;
    await load;

    const answers = await Promise.all(requests);
    process.stdout.write(`${answers.length} requests while two APIs were restarted\n`);
    expect(answers.filter((answer) => answer !== '200 000_000')).toEqual([]);
  },
  300_000,
);
