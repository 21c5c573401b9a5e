import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { sql } from 'drizzle-orm';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPostgres } from '../../database/database.ts';
import { inspectDatabase } from '../../database/inspection.ts';
import { createStores } from '../../database/stores.ts';
import { createLog } from '../../runtime/log.ts';
import { refuseUnfitSettings } from '../../composition/production-settings.ts';
import { findWeakSecrets } from '../../composition/weak-secrets.ts';
import { runOperatorCommand } from '../../operator/run.ts';
import { findHolder } from '../../runtime/bearer-tokens.ts';
import { apiConfigSchema, readConfig } from '../../runtime/config.ts';
import { loadCredentials, seed } from '../../development/sandbox/credentials.ts';
import { loadOrCreateSecrets } from '../../development/sandbox/secrets.ts';
import { issueToken } from '../fixtures/bearer-token.ts';
import { createFreshPostgres } from '../fixtures/fresh-postgres.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { startProgram } from './process-group.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  process.stdout.write('DATABASE_URL is not set: what production refuses in a database is not tested.\n');
}
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const key = () => `own:${randomBytes(32).toString('base64')}`;

/** Valid settings of production, which is what runs without NODE_ENV; but no database answers. */
const sound = {
  DATABASE_URL: 'postgres://127.0.0.1:9/nothing?sslmode=verify-full',
  TEMPORAL_TLS: 'true',
  DATABASE_KEYS: key(),
  PAYLOAD_KEYS: key(),
  PG_BASE_URL: 'https://pg.example',
  PG_SHARED_SECRET: randomBytes(32).toString('hex'),
  PG_CALLBACK_URL: 'https://service.example/pg/callbacks',
  CODEC_ALLOWED_ORIGIN: 'https://temporal.example',
  CODEC_TOKENS: issueToken().setting,
  OPERATOR_TOKENS: issueToken().setting,
};

/** With the plaintext of a test’s own servers. */
const onPrivateNetwork = { ...sound, PLAINTEXT_ON_PRIVATE_NETWORK: 'postgresql' };

/** The lines with reasons. */
const reasonsIn = (output: string) => [...output.matchAll(/^ {2}(\w+: .+)$/gm)].map(([, reason]) => reason);

/** Settings as an attack found them accepted: by an API without NODE_ENV, too. */
const oneSecret = 'a'.repeat(32);
const oneToken = issueToken().setting;
const unfit = {
  PAYLOAD_KEYS: `p:${Buffer.alloc(32).toString('base64')}`,
  PG_SHARED_SECRET: oneSecret,
  CODEC_TOKENS: oneToken,
  OPERATOR_TOKENS: oneToken,
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  NODE_OPTIONS: '--insecure-http-parser',
  TIME_WINDOW_MS: String(365 * 24 * 60 * 60 * 1_000),
  CALLING_HOURS: '00:00-23:59',
  DATABASE_URL: 'postgres://127.0.0.1:9/nothing',
  TEMPORAL_TLS: 'false',
  METRICS_HOST: '0.0.0.0',
  METRICS_PORT: '9464',
};

/** Starts a program with settings that it has to refuse. @returns the reasons that it gives */
async function refusedBy(file: string, settings: Readonly<Record<string, string>>) {
  const program = startProgram(file, settings);
  // A program that accepts them waits for its database.
  const waiting = program.untilOutput(/waiting for /).then(
    () => 'waiting',
    () => program.exited,
  );
  expect(await waiting).toBe(1);
  expect(program.output()).not.toMatch(/^\s+at /m);
  return { output: program.output(), reasons: new Set(reasonsIn(program.output())) };
}

it.for(['api/main.ts', 'worker/main.ts'])(
  '%s refuses a sandbox’s settings in production, with every reason at once and without values',
  async (file) => {
    const secrets = loadOrCreateSecrets(temporaryDirectory());
    const { output, reasons } = await refusedBy(file, {
      ...sound,
      DATABASE_KEYS: `${sound.DATABASE_KEYS},${secrets.DATABASE_KEYS}`,
      PAYLOAD_KEYS: secrets.PAYLOAD_KEYS,
      PG_BASE_URL: 'http://localhost:3001',
      PG_CALLBACK_URL: 'http://127.0.0.1:3000/pg/callbacks',
      PG_SHARED_SECRET: `${secrets.PG_SHARED_SECRET},less-than-32-characters`,
      CODEC_ALLOWED_ORIGIN: 'http://localhost:8233',
      CALLING_HOURS: 'always',
      LOG_LEVEL: 'debug',
    });
    const apiReasons = [
      'CODEC_ALLOWED_ORIGIN: it is plaintext. Begin it with https://.',
      'CODEC_ALLOWED_ORIGIN: it points to this machine. Name the system in production.',
      'CALLING_HOURS: members must not be called at night. Stay within 08:00-21:00.',
    ];
    expect(reasons).toEqual(
      new Set([
        'DATABASE_KEYS: a key was made by a sandbox. Make a new one: openssl rand -base64 32.',
        'PAYLOAD_KEYS: a key was made by a sandbox. Make a new one: openssl rand -base64 32.',
        'PG_BASE_URL: it is plaintext. Begin it with https://.',
        'PG_BASE_URL: it points to this machine. Name the system in production.',
        'PG_CALLBACK_URL: it is plaintext. Begin it with https://.',
        'PG_CALLBACK_URL: it points to this machine. Name the system in production.',
        'PG_SHARED_SECRET: a secret has fewer than 32 characters. Make a new one: openssl rand -hex 32.',
        'PG_SHARED_SECRET: a secret was made by a sandbox. Make a new one: openssl rand -hex 32.',
        'LOG_LEVEL: debug and trace are for development. Set info.',
        ...(file === 'api/main.ts' ? apiReasons : []),
      ]),
    );
    for (const value of Object.values(secrets)) expect(output).not.toContain(value);
    expect(output).not.toMatch(/than-32-characters/);
  },
);

it.for(['api/main.ts', 'worker/main.ts'])(
  '%s refuses trivial secrets and plaintext, every one of them at once, without NODE_ENV',
  async (file) => {
    const { output, reasons } = await refusedBy(file, { ...sound, ...unfit });
    const apiReasons = [
      'OPERATOR_TOKENS: a token is also one of CODEC_TOKENS. Give each purpose a value of its own.',
      'TIME_WINDOW_MS: old requests could be replayed. Set 900000 at most.',
      'CALLING_HOURS: members must not be called at night. Stay within 08:00-21:00.',
    ];
    const permitted = 'or on a private network permit plaintext: PLAINTEXT_ON_PRIVATE_NETWORK=';
    expect(reasons).toEqual(
      new Set([
        'PAYLOAD_KEYS: a key has fewer than 17 different characters. Make a new one: openssl rand -base64 32.',
        'PG_SHARED_SECRET: a secret has fewer than 8 different characters. Make a new one: openssl rand -hex 32.',
        'NODE_TLS_REJECT_UNAUTHORIZED: certificates are not checked. Remove it, and name your authority in NODE_EXTRA_CA_CERTS.',
        'NODE_OPTIONS: --insecure-http-parser opens the process. Remove it.',
        `DATABASE_URL: it is plaintext. Add sslmode=verify-full, ${permitted}postgresql.`,
        `TEMPORAL_ADDRESS: it is plaintext. Set TEMPORAL_TLS=true, ${permitted}temporal.`,
        `METRICS_HOST: it is plaintext. Name a private address of this machine, ${permitted}metrics.`,
        ...(file === 'api/main.ts' ? apiReasons : []),
      ]),
    );
    expect(output).toContain('unless NODE_ENV is development');
    expect(output).not.toContain(oneSecret);
  },
);

describe('one setting alone is refused', () => {
  const check = (settings: Readonly<Record<string, string>>, tls = true, dangerousRights: string[] = []) =>
    refuseUnfitSettings(
      {
        ...readConfig(apiConfigSchema, { ...sound, ...settings }, () => ''),
        temporal: { connectionOptions: { address: '10.0.0.1:7233', tls } },
      },
      () => Promise.resolve({ sandboxProjects: [], dangerousRights }),
    );

  const bytes = (make: (index: number) => number) =>
    `own:${Buffer.from(Array.from({ length: 32 }, (_, index) => make(index))).toString('base64')}`;
  const text = (value: string) => `own:${Buffer.from(value).toString('base64')}`;

  it.for([
    ['PG_BASE_URL', 'it points', 'https://[::1]/pg'],
    ['PG_BASE_URL', 'it points', 'https://127.8.9.1'],
    ['PG_BASE_URL', 'it points', 'https://0.0.0.0'],
    ['PG_BASE_URL', 'it points', 'https://[::ffff:127.0.0.1]'],
    ['PG_BASE_URL', 'it points', 'https://pg.localhost'],
    ['CODEC_ALLOWED_ORIGIN', 'it is plaintext', 'http://temporal.example'],
    ['DATABASE_KEYS', 'a key has fewer than 17 different', bytes(() => 0)],
    ['DATABASE_KEYS', 'a key has fewer than 17 different', bytes((index) => index % 16)],
    ['DATABASE_KEYS', 'a key is a sequence', bytes((index) => 3 * index)],
    ['DATABASE_KEYS', 'a key is text', text('correct horse battery staple 123')],
    ['PAYLOAD_KEYS', 'a key is also one of DATABASE_KEYS', `other:${sound.DATABASE_KEYS.slice(4)}`],
    ['PG_SHARED_SECRET', 'a secret repeats itself', '0123456789abcdef0123456789abcdef'],
    ['PG_SHARED_SECRET', 'a secret is a sequence', 'abcdefghijklmnopqrstuvwxyz012345'],
    ['PG_SHARED_SECRET', 'a secret consists of common words', 'your-secret-token-please-change-me!'],
    ['CODEC_TOKENS', 'a token is also one of CODEC_TOKENS', sound.OPERATOR_TOKENS],
    [
      'CODEC_TOKENS',
      'a token is also one of PG_SHARED_SECRET',
      `web=2099-12-31=${sha256(sound.PG_SHARED_SECRET)}`,
    ],
    ['TIME_WINDOW_MS', 'old requests could be replayed', '900001'],
    ['CALLING_HOURS', 'members must not be called at night', '07:59-21:00'],
    ['CALLING_HOURS', 'members must not be called at night', '08:00-21:01'],
    ['CALLING_HOURS', 'members must not be called at night', '20:00-09:00'],
    ['ARS_CALLS_PER_MEMBER', 'members must be left in peace', '100000'],
    ['ARS_CALLS_PER_OTHER_PHONE', 'members must be left in peace', '51'],
    ['ACCOUNT_CHECKS_PER_MEMBER', 'members must be left in peace', '51'],
    ['ARS_CALLS_PER_PHONE', 'could use up the calls of others', '6'],
    ['ARS_CALLS_PER_ACCOUNT', 'could use up the calls of others', '6'],
    ['NODE_OPTIONS', '--inspect=0.0.0.0:9229 opens the process', '--inspect=0.0.0.0:9229'],
    ['DATABASE_URL', 'it is plaintext', 'postgres://db.internal/km'],
    ['DATABASE_URL', 'it is plaintext', 'postgres://db.internal/km?sslmode=disable'],
    ['DATABASE_URL', 'it is plaintext', 'postgres://db.internal/km?sslmode=verify-full&sslmode=disable'],
    ['DATABASE_URL', 'its certificate is not checked', 'postgres://db.internal/km?sslmode=no-verify'],
    [
      'DATABASE_URL',
      'its certificate is not checked',
      'postgres://db.internal/km?sslmode=require&uselibpqcompat=true',
    ],
  ] as const)('%s: %s', async ([name, reason, value]) => {
    const refusal = await check({ [name]: value }).then(
      () => 'accepted',
      (error: Error) => error.message,
    );
    const [, ...reasons] = refusal.split('\n');
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toContain(reason);
  });

  it.for([
    {},
    { DATABASE_URL: 'postgres://user@/km?host=/var/run/postgresql' },
    { PLAINTEXT_ON_PRIVATE_NETWORK: 'postgresql', DATABASE_URL: 'postgres://db.internal/km' },
    { METRICS_PORT: '9464' },
    { METRICS_PORT: '9464', METRICS_HOST: '10.0.0.1' },
    { METRICS_PORT: '9464', METRICS_HOST: '0.0.0.0', PLAINTEXT_ON_PRIVATE_NETWORK: 'metrics' },
    { NODE_ENV: 'production' },
    { NODE_ENV: 'development', PG_SHARED_SECRET: oneSecret },
    { NODE_ENV: 'test', PG_SHARED_SECRET: oneSecret },
  ])('but not %j', async (settings) => {
    await expect(check(settings)).resolves.toBeUndefined();
  });

  it.for([
    [
      'PLAINTEXT_ON_PRIVATE_NETWORK does not cover a public address',
      'postgresql',
      true,
      'at a public address',
    ],
    ['Temporal without TLS', '', false, 'TEMPORAL_ADDRESS: it is plaintext'],
  ] as const)('%s', async ([, permitted, tls, reason]) => {
    const settings = { PLAINTEXT_ON_PRIVATE_NETWORK: permitted, DATABASE_URL: 'postgres://8.8.8.8/km' };
    await expect(check(permitted ? settings : {}, tls)).rejects.toThrow(reason);
  });

  it('DATABASE_URL: with the role of a superuser', async () => {
    await expect(check({}, true, ['SUPERUSER'])).rejects.toThrow('its role may do too much (SUPERUSER)');
  });

  it('whatever NODE_ENV is, but for development and test', async () => {
    await expect(check({ NODE_ENV: 'staging', LOG_LEVEL: 'debug' })).rejects.toThrow('LOG_LEVEL');
  });

  it('no random key or secret counts as weak', async () => {
    for (let round = 0; round < 200; round++) {
      const random = (encoding: 'hex' | 'base64url') => randomBytes(32).toString(encoding);
      const secrets = {
        DATABASE_KEYS: key(),
        PAYLOAD_KEYS: key(),
        PG_SHARED_SECRET: `${random('base64url')},${random('hex')}`,
      };
      await expect(check(secrets)).resolves.toBeUndefined();
    }
  });
});

it('fit settings are accepted: the API continues with the database', async () => {
  const program = startProgram('api/main.ts', sound);
  await program.untilOutput(/waiting for PostgreSQL.+/);
  expect(program.output()).toContain('ECONNREFUSED');
  expect(reasonsIn(program.output())).toEqual([]);
});

// Needs a PostgreSQL, which DATABASE_URL names.
it.skipIf(!databaseUrl).for(['api/main.ts', 'worker/main.ts'])(
  '%s refuses a database with a sandbox’s projects and the role of a superuser in production',
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
    const program = startProgram(file, { ...onPrivateNetwork, DATABASE_URL: fresh.url });
    expect(await program.exited).toBe(1);
    expect(reasonsIn(program.output())).toEqual([
      "DATABASE_URL: the database holds the sandbox's projects (SANDBOXASP00001, SANDBOXASP00002). Use another database.",
      expect.stringMatching(
        /^DATABASE_URL: its role may do too much \(.*SUPERUSER.*\)\. Use a role without these/,
      ),
    ]);
  },
);

// Needs a PostgreSQL, too.
it.skipIf(!databaseUrl).for([
  ['superuser', '', ['SUPERUSER']],
  ['bypassrls', '', ['BYPASSRLS']],
  ['createrole replication', '', ['CREATEROLE', 'REPLICATION']],
  ['', 'pg_execute_server_program', ['pg_execute_server_program']],
  ['', '', []],
] as const)('the rights %j and %j of a database role are recognised', async ([options, group, rights]) => {
  const fresh = await createFreshPostgres(databaseUrl!, { migrates: false });
  onTestFinished(() => fresh.drop());
  const role = `test_${randomBytes(6).toString('hex')}`;
  const client = new Client({ connectionString: fresh.url });
  await client.connect();
  await client.query(`create role ${role} login ${options}`);
  if (group) await client.query(`grant ${group} to ${role}`);
  onTestFinished(async () => {
    await client.query(`drop role ${role}`);
    await client.end();
  });
  const url = new URL(fresh.url);
  url.username = role;
  expect((await inspectDatabase(url.href)).dangerousRights).toEqual(rights);
});

// Needs a PostgreSQL, too.
it.skipIf(!databaseUrl)('a database whose projects cannot be read is refused', async () => {
  const fresh = await createFreshPostgres(databaseUrl!);
  onTestFinished(() => fresh.drop());
  expect((await inspectDatabase(fresh.url)).sandboxProjects).toEqual([]);
  const database = await openPostgres(fresh.url, createLog('test', 'silent'));
  await database.queries.transaction(async (transaction) => {
    await transaction.execute(sql`lock table projects`);
    await expect(inspectDatabase(fresh.url)).rejects.toThrow('timeout');
  });
  await database.close();
  const settings = readConfig(apiConfigSchema, sound, () => '');
  const temporal = { connectionOptions: { address: '10.0.0.1:7233', tls: true } };
  const refusal = refuseUnfitSettings({ ...settings, temporal }, () =>
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

describe('operator keys generate', () => {
  /** Runs it without any setting: it asks for nothing. */
  async function generate(...words: readonly string[]) {
    const output: string[] = [];
    const exitCode = await runOperatorCommand(['keys', 'generate', ...words], {
      print: (line) => output.push(line),
      printError: () => {},
      openTemporal: unexpected,
      openAll: unexpected,
    });
    return { exitCode, output };
  }
  const unexpected = () => {
    throw new Error('It needs nothing.');
  };
  const endpoints = Object.fromEntries(
    Object.entries(sound).filter(([name]) => !/KEYS|SECRET|TOKENS/.test(name)),
  );

  it('writes files that only their owner can read, and that API and worker start with in production', async () => {
    const directory = join(temporaryDirectory(), 'keys');
    expect(await generate('--directory', directory)).toEqual({ exitCode: 0, output: [] });
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
    const modes = files.map((file) => statSync(join(directory, file)).mode & 0o777);
    expect(new Set(modes)).toEqual(new Set([0o700, 0o600]));
    expect(await generate('--directory', directory)).toMatchObject({ exitCode: 1 });

    const service = join(directory, 'service');
    const settings = {
      ...endpoints,
      ...Object.fromEntries(readdirSync(service).map((name) => [`${name}_FILE`, join(service, name)])),
    };
    const programs = ['api/main.ts', 'worker/main.ts'].map((file) => startProgram(file, settings));
    for (const program of programs) {
      await program.untilOutput(/waiting for PostgreSQL.+/);
      expect(reasonsIn(program.output())).toEqual([]);
    }
  });

  it('prints an env file with other values each time, all of them fit for production', async () => {
    const read = async () => {
      const { exitCode, output } = await generate('--name', 'kim', '--until', '2999-12-31');
      expect(exitCode).toBe(0);
      return parseEnv(output.join('\n')) as Readonly<Record<string, string>>;
    };
    const keys = await read();
    const again = await read();
    expect(Object.keys(keys).filter((name) => keys[name] === again[name])).toEqual([]);

    const config = readConfig(apiConfigSchema, { ...endpoints, ...keys }, () => '');
    expect(findWeakSecrets(config)).toEqual([]);
    expect(findHolder(config.OPERATOR_TOKENS, keys['OPERATOR_TOKEN']!)).toBe('kim');
    expect(findHolder(config.CODEC_TOKENS, keys['CODEC_TOKEN']!)).toBe('kim');
    for (const name of ['DATABASE_PASSWORD', 'DATABASE_OWNER_PASSWORD', 'TEMPORAL_DATABASE_PASSWORD']) {
      expect(keys[name]).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});
