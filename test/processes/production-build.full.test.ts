import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openPostgres } from '../../database/database.ts';
import { createStores } from '../../database/stores.ts';
import { loadCredentials, publicCredentials, seed } from '../../development/sandbox/credentials.ts';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { createSimulator } from '../../development/simulator/simulator.ts';
import { createLog } from '../../runtime/log.ts';
import { issueToken } from '../fixtures/bearer-token.ts';
import { createFreshPostgres } from '../fixtures/fresh-postgres.ts';
import { startTestTemporal } from '../fixtures/temporal-server.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { call, registration, sendSlowly, untilEnded } from '../fixtures/wire-client.ts';
import type { Project } from '../fixtures/wire-client.ts';
import { startGroup } from './process-group.ts';
import type { ProcessGroup } from './process-group.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stdout.write('DATABASE_URL is not set: the production build is not started.\n');
}
const notCopied = new Set(['.git', 'node_modules', 'dist', 'data']);
const run = (directory: string, program: string, ...words: string[]) =>
  promisify(execFile)(program, words, { cwd: directory });
const key = () => `own:${randomBytes(32).toString('base64')}`;

/** What production has: `dist/` and its dependencies, without the source. */
let production: string;
let buildOutput: string;
const temporary: string[] = [];

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'production-build-'));
  temporary.push(directory);
  return directory;
}

beforeAll(async () => {
  const source = await makeDirectory();
  production = await makeDirectory();
  await cp(projectDirectory, source, {
    recursive: true,
    filter: (path) => !notCopied.has(basename(path)),
  });
  await symlink(join(projectDirectory, 'node_modules'), join(source, 'node_modules'));
  ({ stdout: buildOutput } = await run(source, 'npm', 'run', 'build'));

  await mkdir(join(production, 'client'));
  for (const path of ['dist', 'package.json', 'package-lock.json', '.npmrc', 'client/package.json']) {
    await cp(join(source, path), join(production, path), { recursive: true });
  }
  await run(production, 'npm', 'ci', '--omit=dev', '--omit=optional', '--prefer-offline');
}, 600_000);
afterAll(async () => {
  for (const directory of temporary) await rm(directory, { recursive: true, force: true });
});

it('ends with one line that says what was built', () => {
  expect(buildOutput.trim().split('\n').at(-1)).toMatch(/^Built dist\/: \d+ JavaScript files, /);
});

it('contains no development code', async () => {
  const parts = await readdir(join(production, 'dist'));
  expect(parts).toEqual(expect.arrayContaining(['api', 'worker', 'operator', 'workflow-bundle.js']));
  expect(parts.filter((part) => ['development', 'test', 'client'].includes(part))).toEqual([]);
  const modules = join(production, 'node_modules');
  const packages = [...(await readdir(modules)), ...(await readdir(join(modules, '.bin')))];
  expect(packages).toEqual(expect.arrayContaining(['hono', '@temporalio']));
  const forbidden = ['@electric-sql', 'esbuild', 'lmdb', 'swagger-ui-dist', 'tsx', 'typescript', 'vitest'];
  expect(packages.filter((name) => forbidden.includes(name))).toEqual([]);
});

it('names commands as production has them', async () => {
  const { stdout } = await run(production, process.execPath, 'dist/operator/main.js', '--help');
  expect(stdout).toContain('node dist/operator/main.js evidence verify');
  expect(stdout).not.toContain('npm run');
});

it('has of the sandbox the hook for its routes and what refuses its settings, and nothing else', async () => {
  const dist = join(production, 'dist');
  const files = (await readdir(dist, { recursive: true })).filter((path) => /\.c?js$/.test(path));
  const isOfSandbox = (path: string) => {
    const { code } = transformSync(readFileSync(join(dist, path), 'utf8'), { legalComments: 'none' });
    return /sandbox/i.test(path) || /sandbox/i.test(code);
  };
  // The workflow bundle is in Temporal's own sandbox; the documentation page looks for ours.
  const bundles = /^(workflow-bundle|docs-page\/.*)\.js$/;
  expect(files.filter((path) => !bundles.test(path) && isOfSandbox(path)).toSorted()).toEqual([
    'api/app.js',
    'api/http/errors.js',
    'api/http/local-requests.js',
    'api/routes/docs.js',
    'composition/production-settings.js',
    'composition/weak-secrets.js',
    'database/inspection.js',
    'wire/openapi-document.js',
    'wire/openapi-webhooks.js',
  ]);
});

describe.runIf(databaseUrl)('API, worker and operator', () => {
  it('run by node alone: an account is registered and the documentation is served', async () => {
    const { url, environment, project } = await startSurroundings();
    const start = (file: string, ...words: string[]) =>
      startGroup(process.execPath, [join(production, 'dist', file), ...words], environment);
    const api = start('api/main.js');
    const worker = start('worker/main.js');
    await api.untilOutput(/the API is listening/);
    await worker.untilOutput(/the worker is running/);

    const answer = await call(url, project, '/ars/register', registration(project, 0, {}));
    const number = String(answer.body['bankAccRegNo']);
    const { body } = await untilEnded(url, project, number);
    expect(body).toMatchObject({ status: 'BANK_ACC_REGISTERED' });

    const page = await fetch(`${url}/docs`);
    expect(page.status).toBe(200);
    const html = await page.text();
    for (const [, path] of html.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)) {
      const { status, headers } = await fetch(`${url}/${path}`);
      expect({ path, status }).toEqual({ path, status: 200 });
      expect(headers.get('Content-Type')).toMatch(/^text\/(css|javascript); charset=utf-8$/);
    }
    expect(await start('operator/main.js', 'reviews').exited).toBe(0);
    expect(await start('operator/main.js', 'trail', '--verify').exited).toBe(0);

    for (const program of [api, worker]) {
      program.terminate();
      expect(await program.exited).toBe(0);
      expect(notJson(program)).toEqual([]);
    }
  }, 180_000);

  it('write every line as JSON, what Temporal’s native core warns of included', async () => {
    const { url, environment, project, temporalServer } = await startSurroundings();
    const [api, worker] = ['api/main.js', 'worker/main.js'].map((file) =>
      startGroup(process.execPath, [join(production, 'dist', file)], environment),
    ) as [ProcessGroup, ProcessGroup];
    await api.untilOutput(/the API is listening/);
    await worker.untilOutput(/the worker is running/);
    const answer = await call(url, project, '/ars/register', registration(project, 0));
    const number = String(answer.body['bankAccRegNo']);
    await untilEnded(url, project, number);
    const trail = `"registrationNumber":"${number}"`;
    await api.untilOutput(new RegExp(`${trail}.*"msg":"request"`));
    await worker.untilOutput(new RegExp(`${trail}.*"msg":"activity"`));

    await temporalServer.stop();
    await worker.untilOutput(/"sdkComponent":"core"/);
    for (const program of [api, worker]) {
      await program.kill();
      expect(notJson(program)).toEqual([]);
    }
  }, 180_000);
});

/** What a program has written that is no JSON object in one line. */
function notJson(program: ProcessGroup): string[] {
  const isObject = (line: string) => {
    try {
      return typeof JSON.parse(line) === 'object';
    } catch {
      return false;
    }
  };
  return program
    .output()
    .trim()
    .split('\n')
    .filter((line) => !isObject(line));
}

const canBePidOne = spawnSync('unshare', ['-pf', '--mount-proc', 'true']).status === 0;
if (!canBePidOne) process.stdout.write('This user may not unshare: nothing is stopped as PID 1.\n');

/** How a process is asked to stop, and by what it is started. */
const stops: readonly {
  readonly name: string;
  readonly by?: readonly string[];
  readonly stop: (program: ProcessGroup) => Promise<void> | void;
}[] = [
  { name: 'itself', stop: (program) => program.terminate() },
  { name: 'its group', stop: (program) => program.terminateGroup() },
  {
    name: 'itself while it stands still for 300 ms',
    stop: async (program) => {
      program.freeze();
      program.terminate();
      await delay(300);
      program.thaw();
    },
  },
  {
    name: 'PID 1 of a container',
    by: ['unshare', '-pf', '--mount-proc'],
    stop: ({ id }) => {
      const children = readFileSync(`/proc/${id}/task/${id}/children`, 'utf8');
      process.kill(Number(children), 'SIGTERM');
    },
  },
];

describe.runIf(databaseUrl)('SIGTERM', () => {
  it('to the process, to its group, while it stands still, and as PID 1: the API completes its request, all exit with 0', async () => {
    const { url, environment, project } = await startSurroundings();
    for (const [member, { name, by = [], stop }] of stops.entries()) {
      if (by.length > 0 && !canBePidOne) continue;
      const start = (file: string) => {
        const [command, ...words] = [...by, process.execPath, join(production, 'dist', file)] as const;
        return startGroup(command, words, environment);
      };
      const [api, worker] = [start('api/main.js'), start('worker/main.js')];
      await api.untilOutput(/the API is listening/);
      await worker.untilOutput(/the worker is running/);

      const path = '/open-api/api/v1/bankaccounts/ars/register';
      const request = sendSlowly(url, project, path, JSON.stringify(registration(project, member)));
      await request.begun;
      await Promise.all([stop(api), stop(worker)]);
      await api.untilOutput(/serving until load balancers have noticed/);
      const { response } = await request.finish();
      expect({ name, code: response.code }).toEqual({ name, code: '000_000' });
      expect({ name, exits: await Promise.all([api.exited, worker.exited]) }).toEqual({
        name,
        exits: [0, 0],
      });
    }
  }, 180_000);
});

/** A database with one project, a Temporal server, a payment gateway, and the environment that names them. */
async function startSurroundings() {
  const fresh = await createFreshPostgres(databaseUrl!, { migrates: false });
  const role = `service_${randomBytes(4).toString('hex')}`;
  onTestFinished(() => fresh.drop(role));
  const serviceUrl = new URL(fresh.url);
  serviceUrl.username = role;
  serviceUrl.password = 'service';
  const migration = startGroup(process.execPath, [join(production, 'dist/database/main.js')], {
    DATABASE_OWNER_URL: fresh.url,
    DATABASE_URL: serviceUrl.href,
  });
  expect({ code: await migration.exited, output: migration.output() }).toEqual({
    code: 0,
    output: `The tables are up to date, and the role ${role} has its rights.\n`,
  });
  const temporalServer = await startTestTemporal();
  onTestFinished(() => temporalServer.stop());
  const sharedSecret = randomBytes(32).toString('hex');
  const simulator = createSimulator({ dataDirectory: temporaryDirectory(), sharedSecret });
  const { url: simulatorUrl } = await simulator.start(0);
  onTestFinished(() => simulator.stop());

  const databaseKeys = key();
  const database = await openPostgres(fresh.url, createLog('test', 'silent'));
  const credentials = await loadCredentials(`${temporaryDirectory()}/credentials.json`);
  await seed(createStores(database.queries, databaseKeys), credentials);
  await database.close();

  const operator = issueToken();
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    temporalServer,
    project: publicCredentials(credentials).projects[0] as unknown as Project,
    environment: {
      NODE_ENV: 'development',
      PORT: String(port),
      HOST: '127.0.0.1',
      SHUTDOWN_DELAY_MS: '0',
      DATABASE_URL: serviceUrl.href,
      DATABASE_KEYS: databaseKeys,
      PAYLOAD_KEYS: key(),
      TEMPORAL_ADDRESS: temporalServer.address,
      PG_BASE_URL: simulatorUrl,
      PG_SHARED_SECRET: sharedSecret,
      PG_CALLBACK_URL: `${url}/pg/callbacks`,
      CODEC_ALLOWED_ORIGIN: 'http://localhost:8233',
      CODEC_TOKENS: issueToken().setting,
      OPERATOR_TOKENS: operator.setting,
      OPERATOR_TOKEN: operator.token,
      CALLING_HOURS: 'always',
    },
  };
}
