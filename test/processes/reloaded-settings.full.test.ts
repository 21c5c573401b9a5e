import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { createToken } from '../../runtime/bearer-tokens.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';
import { startProgram } from './process-group.ts';
import { openOnPostgres, startSurroundings } from './surroundings.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stdout.write('DATABASE_URL is not set: no settings are reloaded.\n');
}

/** Makes a certificate that is its own authority. @returns the names of its files */
function makeCertificate(directory: string) {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=temporal
    -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout ${key} -out ${cert}`;
  execFileSync('openssl', words.split(/\s+/), { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** TLS in front of a Temporal server. */
async function startTlsProxy(address: string, certificate: ReturnType<typeof makeCertificate>) {
  const sockets = new Set<Socket>();
  const server = createServer({ ...certificate, ALPNProtocols: ['h2'] }, (client) => {
    const temporal = connect(Number(address.split(':')[1]), '127.0.0.1');
    for (const [from, to] of [
      [client, temporal],
      [temporal, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => sockets.forEach((socket) => socket.destroy());
  onTestFinished(() => {
    server.close();
    cut();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Breaks all connections. Further ones get another certificate. */
    change(other: typeof certificate) {
      server.setSecureContext(other);
      cut();
    },
  };
}

it.runIf(databaseUrl)(
  'a certificate, a secret and a token that change in their files are used by the running processes',
  async () => {
    const { environment, url } = await startSurroundings();
    const service = await openOnPostgres(databaseUrl!, environment);
    const [project] = service.projects;
    const directory = temporaryDirectory();
    const fileOf = (name: string) => join(directory, name);
    const certificate = makeCertificate(directory);
    const proxy = await startTlsProxy(environment.TEMPORAL_ADDRESS, certificate);
    const [before, after] = [createToken('before', '2099-12-31'), createToken('after', '2099-12-31')];
    writeFileSync(fileOf('tokens'), before.setting);
    writeFileSync(fileOf('authority.pem'), certificate.cert);
    const { OPERATOR_TOKENS: _, ...others } = environment;
    const variables = {
      ...others,
      SHUTDOWN_DELAY_MS: '0',
      CALLING_HOURS: 'always',
      DATABASE_URL: service.databaseUrl,
      TEMPORAL_ADDRESS: proxy.address,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: fileOf('authority.pem'),
      OPERATOR_TOKENS_FILE: fileOf('tokens'),
    };
    const [api, worker] = ['api', 'worker'].map((name) =>
      startProgram(`development/run-from-source/${name}.ts`, variables),
    ) as [ReturnType<typeof startProgram>, ReturnType<typeof startProgram>];
    await api.untilOutput(/the API is listening/);
    await worker.untilOutput(/the worker is running/);
    const register = async (member: number) => {
      const { body } = await call(url, project, '/ars/register', registration(project, member));
      expect(body.response.code).toBe('000_000');
      return await untilEnded(url, project, String(body['bankAccRegNo']));
    };
    const statusWith = async (token: string) =>
      (await fetch(`${url}/operator/reconciliations`, { headers: { Authorization: `Bearer ${token}` } }))
        .status;
    expect((await register(0)).body).toMatchObject({ status: 'BANK_ACC_REGISTERED' });
    expect([await statusWith(before.token), await statusWith(after.token)]).toEqual([200, 401]);

    const changed = makeCertificate(directory);
    proxy.change(changed);
    writeFileSync(fileOf('authority.pem'), changed.cert);
    writeFileSync(fileOf('tokens'), after.setting);
    await api.untilOutput(/the new ones are in force/);
    await worker.untilOutput(/the new ones are in force/);

    expect([await statusWith(before.token), await statusWith(after.token)]).toEqual([401, 200]);
    expect((await register(1)).body).toMatchObject({ status: 'BANK_ACC_REGISTERED' });
    for (const program of [api, worker]) {
      program.terminate();
      expect(await program.exited).toBe(0);
    }
  },
  180_000,
);
