import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { expect, it, onTestFinished } from 'vitest';
import { openPostgres } from '../../database/database.ts';
import { findSandboxProjects } from '../../database/projects-of-sandbox.ts';
import { createStores } from '../../database/stores.ts';
import { createLog } from '../../runtime/log.ts';
import { refuseSandboxDefaults } from '../../composition/sandbox-defaults.ts';
import { loadCredentials, seed } from '../../development/sandbox/credentials.ts';
import { loadOrCreateSecrets } from '../../development/sandbox/secrets.ts';
import { createFreshPostgres } from '../fixtures/fresh-postgres.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { startProgram } from './process-group.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stdout.write('DATABASE_URL is not set: what production refuses in a database is not tested.\n');
}
const key = () => `own:${randomBytes(32).toString('base64')}`;

/** Valid settings, but no database answers. */
const sound = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://127.0.0.1:9/nothing',
  DATABASE_KEYS: key(),
  PAYLOAD_KEYS: key(),
  PG_BASE_URL: 'https://pg.example',
  PG_SHARED_SECRET: randomBytes(32).toString('hex'),
  PG_CALLBACK_URL: 'https://service.example/pg/callbacks',
  CODEC_ALLOWED_ORIGIN: 'https://temporal.example',
  CODEC_TOKEN: randomBytes(32).toString('hex'),
  OPERATOR_TOKEN: randomBytes(32).toString('hex'),
};

/** The lines with reasons. */
const reasonsIn = (output: string) => [...output.matchAll(/^ {2}(\w+: .+)$/gm)].map(([, reason]) => reason);

it.for(['api/main.ts', 'worker/main.ts'])(
  '%s refuses a sandbox’s settings in production, with every reason at once and without values',
  async (file) => {
    const secrets = loadOrCreateSecrets(temporaryDirectory());
    const unsound = {
      ...sound,
      DATABASE_KEYS: `${sound.DATABASE_KEYS},${secrets.DATABASE_KEYS}`,
      PAYLOAD_KEYS: secrets.PAYLOAD_KEYS,
      PG_BASE_URL: 'http://localhost:3001',
      PG_CALLBACK_URL: 'http://127.0.0.1:3000/pg/callbacks',
      PG_SHARED_SECRET: `${secrets.PG_SHARED_SECRET},less-than-32-characters`,
      CODEC_ALLOWED_ORIGIN: 'http://localhost:8233',
      CODEC_TOKEN: 'less-than-32-characters',
      OPERATOR_TOKEN: 'less-than-32-characters',
      CALLING_HOURS: 'always',
      LOG_LEVEL: 'debug',
    };
    const program = startProgram(file, unsound);
    // A program that accepts them waits for its database.
    const waiting = program.untilOutput(/waiting for /).then(
      () => 'waiting',
      () => program.exited,
    );
    expect(await waiting).toBe(1);
    const apiReasons = [
      'CODEC_ALLOWED_ORIGIN: it must begin with https://.',
      'CODEC_ALLOWED_ORIGIN: it points to this machine.',
      'CODEC_TOKEN: a secret has fewer than 32 characters.',
      'OPERATOR_TOKEN: a secret has fewer than 32 characters.',
      'CALLING_HOURS: members must not be called at night.',
    ];
    expect(new Set(reasonsIn(program.output()))).toEqual(
      new Set([
        'DATABASE_KEYS: a key was made by a sandbox.',
        'PAYLOAD_KEYS: a key was made by a sandbox.',
        'PG_BASE_URL: it must begin with https://.',
        'PG_BASE_URL: it points to this machine.',
        'PG_CALLBACK_URL: it must begin with https://.',
        'PG_CALLBACK_URL: it points to this machine.',
        'PG_SHARED_SECRET: a secret has fewer than 32 characters.',
        'PG_SHARED_SECRET: a secret was made by a sandbox.',
        'LOG_LEVEL: debug and trace are for development.',
        ...(file === 'api/main.ts' ? apiReasons : []),
      ]),
    );
    for (const value of Object.values(secrets)) expect(program.output()).not.toContain(value);
    expect(program.output()).not.toMatch(/less-than-32-characters|^\s+at /m);
  },
);

it.for([
  ['PG_BASE_URL', 'https://[::1]/pg'],
  ['PG_BASE_URL', 'https://127.8.9.1'],
  ['PG_BASE_URL', 'https://0.0.0.0'],
  ['PG_BASE_URL', 'https://[::ffff:127.0.0.1]'],
  ['PG_BASE_URL', 'https://pg.localhost'],
  ['CODEC_ALLOWED_ORIGIN', 'http://temporal.example'],
] as const)('%s %s alone is refused', async ([name, value]) => {
  const settings = { ...sound, LOG_LEVEL: 'info', [name]: value };
  const refusal = refuseSandboxDefaults(settings, () => Promise.resolve([]));
  await expect(refusal).rejects.toThrow(new RegExp(`:\\n {2}${name}: it (points|must).+$`));
});

it('valid settings are accepted: the API continues with the database', async () => {
  const program = startProgram('api/main.ts', sound);
  await program.untilOutput(/waiting for PostgreSQL.+/);
  expect(program.output()).toContain('ECONNREFUSED');
  expect(reasonsIn(program.output())).toEqual([]);
});

// Needs a PostgreSQL, which DATABASE_URL names.
it.skipIf(!databaseUrl).for(['api/main.ts', 'worker/main.ts'])(
  '%s refuses a database with a sandbox’s projects in production',
  async (file) => {
    const fresh = await createFreshPostgres(databaseUrl!);
    onTestFinished(() => fresh.drop());
    const database = await openPostgres(fresh.url, createLog('test', 'silent'));
    await seed(
      createStores(database.queries, sound.DATABASE_KEYS),
      await loadCredentials(`${temporaryDirectory()}/credentials.json`),
      1,
    );
    await database.close();
    const program = startProgram(file, { ...sound, DATABASE_URL: fresh.url });
    expect(await program.exited).toBe(1);
    expect(reasonsIn(program.output())).toEqual([
      "DATABASE_URL: the database holds the sandbox's projects (SANDBOXASP00001, SANDBOXASP00002).",
    ]);
  },
);

// Needs a PostgreSQL, too.
it.skipIf(!databaseUrl)('a database whose projects cannot be read is refused', async () => {
  const fresh = await createFreshPostgres(databaseUrl!);
  onTestFinished(() => fresh.drop());
  expect(await findSandboxProjects(fresh.url)).toEqual([]);
  const database = await openPostgres(fresh.url, createLog('test', 'silent'));
  await database.queries.transaction(async (transaction) => {
    await transaction.execute(sql`lock table projects`);
    await expect(findSandboxProjects(fresh.url)).rejects.toThrow('timeout');
  });
  await database.close();
  const refusal = refuseSandboxDefaults({ ...sound, LOG_LEVEL: 'info' }, () =>
    Promise.reject(new Error('no answer')),
  );
  await expect(refusal).rejects.toThrow('no answer');
});

it.for(['development/sandbox/service.ts', 'development/sandbox/start.mjs', 'development/simulator/main.ts'])(
  '%s does not start in production',
  async (file) => {
    const program = startProgram(file, { NODE_ENV: 'production', DATA_DIR: temporaryDirectory() });
    expect(await program.exited).toBe(1);
    expect(program.output()).toMatch(
      /^\s*The (sandbox|simulator) does not start in production \(NODE_ENV\): .+\n$/,
    );
  },
);
