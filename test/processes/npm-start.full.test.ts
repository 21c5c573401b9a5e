import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';
import type { Project } from '../fixtures/wire-client.ts';
import { startGroup } from './process-group.ts';
import { expectRegisteredOnce, registerMany } from './registrations.ts';

it('`npm start` registers, resumes what was in flight after kill -9, and stops on SIGTERM', async () => {
  const [port, simulatorPort, temporalPort, metricsPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ];
  const dataDirectory = temporaryDirectory();
  const environment = {
    PORT: String(port),
    PG_SIMULATOR_PORT: String(simulatorPort),
    TEMPORAL_PORT: String(temporalPort),
    TEMPORAL_CLI_PATH: inject('temporalExecutable'),
    DATA_DIR: dataDirectory,
    XDG_STATE_HOME: temporaryDirectory(),
    LOG_LEVEL: 'warn',
    METRICS_PORT: String(metricsPort),
    DATABASE_URL: 'postgres://127.0.0.1:9/nothing',
  };
  const [url, simulatorUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${simulatorPort}`];
  const ready = /^ready .*$/m;

  const first = startGroup('npm', ['start'], environment);
  expect((await first.untilOutput(ready))[0]).toContain(`http://localhost:${port}`);
  expect(first.output()).toContain('The sandbox decides these itself: DATABASE_URL\n');
  expect((await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).status).toBe(200);
  expect(readFileSync(join(dataDirectory, 'logs', 'service.log'), 'utf8')).not.toContain('"level":30');
  const credentials = (await (await fetch(`${url}/sandbox/credentials`)).json()) as { projects: Project[] };
  const project = credentials.projects[0]!;
  const member = registration(project, 0);
  const { userId, bankAccount, bankCode, userName, birthDate } = member;
  const holder = { userId, bankAccount, bankCode, userName, birthDate };
  expect((await call(url, project, '/user/valid', holder)).body.response.code).toBe('000_000');
  const { authNumber } = (await call(url, project, '/ars/auth', { userId })).body;
  expect(authNumber).toMatch(/^\d\d$/);
  const { bankAccRegNo } = (await call(url, project, '/ars/register', member)).body;
  const { body } = await untilEnded(url, project, String(bankAccRegNo));
  expect(body['status']).toBe('BANK_ACC_REGISTERED');

  // Neither km nor operator knows the port.
  const km = startGroup('npm', ['run', '--silent', 'km', '--', 'info', '--user', String(userId)], {
    XDG_STATE_HOME: environment.XDG_STATE_HOME,
  });
  expect(await km.exited).toBe(0);
  expect(km.output()).toContain(`Registration:  ${String(bankAccRegNo)}\n`);

  const operator = startGroup('npm', ['run', '--silent', 'operator', '--', 'keys', 'status'], {
    XDG_STATE_HOME: environment.XDG_STATE_HOME,
  });
  expect(await operator.exited).toBe(0);

  const others = readdirSync(dataDirectory, { recursive: true, encoding: 'utf8' })
    .map((name) => [name, statSync(join(dataDirectory, name)).mode & 0o077])
    .filter(([, mode]) => mode !== 0);
  expect([others, statSync(dataDirectory).mode & 0o777]).toEqual([[], 0o700]);

  const accepted = await registerMany(url, project, 1, 20);
  // Some of them are in progress.
  await expect
    .poll(async () => ((await (await fetch(`${simulatorUrl}/simulator/calls`)).json()) as unknown[]).length, {
      timeout: 30_000,
    })
    .toBeGreaterThan(1);
  await first.kill();
  const second = startGroup('npm', ['start'], environment);
  await second.untilOutput(ready);
  await expectRegisteredOnce(url, simulatorUrl, project, [
    { registrationNumber: String(bankAccRegNo), registerCalls: 1 },
    ...accepted,
  ]);

  second.terminate();
  await second.exited;
  expect(second.isAlive()).toBe(false);
  expect(second.output()).toContain('Stopped.');
}, 180_000);
