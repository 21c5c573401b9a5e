import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { access, appendFile, chown, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import type { Child } from '../sandbox/child-process.ts';

const run = promisify(execFile);

/** How long a started server may take to answer, in ms. After a kill it recovers first. */
const startTimeoutMs = 30_000;

/** Where Debian and its derivatives install the programs, by version. */
const debianDirectory = '/usr/lib/postgresql';

/** A private PostgreSQL cluster, which can be killed and restarted. */
export interface PostgresCluster {
  readonly url: string;
  /** Starts the server and waits until it accepts writes. */
  start(logFile: string): Promise<Child>;
  /**
   * Puts the database of the stopped server back to how it was at `to`; without `to`, to its last commit, as a standby
   * that takes over does. The next start begins a new timeline.
   */
  recover(to?: Date): Promise<void>;
}

/**
 * Creates a cluster in a new directory below `directory`. PostgreSQL refuses to run as root, so root runs it as the user
 * `postgres`.
 * @throws {Error} saying what to install, if PostgreSQL is not installed
 */
export async function createPostgresCluster(directory: string, port: number): Promise<PostgresCluster> {
  const programs = await findPostgresPrograms();
  const identity = process.getuid?.() === 0 ? await identityOf('postgres') : undefined;
  const home = join(directory, 'postgres');
  const data = join(home, 'data');
  await mkdir(home, { mode: 0o700 });
  if (identity) await chown(home, identity.uid, identity.gid);
  const initialize = ['--pgdata', data, '--username', 'postgres', '--auth', 'trust'];
  await run(join(programs, 'initdb'), [...initialize, '--encoding', 'UTF8', '--no-locale', '--no-sync'], {
    cwd: home,
    ...identity,
  });
  // A backup, from which the write-ahead log leads to any later time.
  const backup = `${data}-backup`;
  await appendFile(join(data, 'postgresql.conf'), "wal_keep_size = '64GB'\nrestore_command = 'false'\n");
  await run('cp', ['-a', data, backup]);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;

  return {
    url,
    async recover(to) {
      const lost = `${data}-lost`;
      await rename(data, lost);
      await run('cp', ['-a', backup, data]);
      await rm(join(data, 'pg_wal'), { recursive: true });
      await run('cp', ['-a', join(lost, 'pg_wal'), data]);
      await rm(lost, { recursive: true });
      const signalFile = join(data, 'recovery.signal');
      await writeFile(signalFile, '');
      if (identity) await chown(signalFile, identity.uid, identity.gid);
      if (!to) return;
      const target = to.toISOString().replace('T', ' ').replace('Z', '+00');
      await appendFile(
        join(data, 'postgresql.conf'),
        `recovery_target_time = '${target}'\nrecovery_target_action = promote\n`,
      );
    },
    async start(logFile) {
      const log = openSync(logFile, 'a', 0o600);
      const serverArguments = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', home];
      const server = spawn(join(programs, 'postgres'), serverArguments, {
        cwd: home,
        stdio: ['ignore', log, log],
        ...identity,
      });
      closeSync(log);
      const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
        server.once('exit', (code, signal) => resolve({ code, signal }));
      });
      await once(server, 'spawn');
      const end = async (signal: NodeJS.Signals): Promise<void> => {
        server.kill(signal);
        await exited;
      };
      try {
        await Promise.race([
          waitUntilReady(url),
          exited.then(() => Promise.reject(new Error('PostgreSQL exited.'))),
        ]);
      } catch (error) {
        await end('SIGKILL');
        throw error;
      }
      // SIGINT is PostgreSQL's fast shutdown.
      return { name: 'PostgreSQL', logFile, exited, stop: () => end('SIGINT'), kill: () => end('SIGKILL') };
    },
  };
}

/** The directory of PostgreSQL's programs. @throws {Error} saying what to install, if they are not found */
export async function findPostgresPrograms(): Promise<string> {
  const versions = await readdir(debianDirectory).catch(() => []);
  const candidates = [
    ...versions
      .toSorted((one, other) => Number(other) - Number(one))
      .map((version) => join(debianDirectory, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter).filter((path) => path !== ''),
  ];
  for (const candidate of candidates) {
    const found = await access(join(candidate, 'initdb')).then(
      () => true,
      () => false,
    );
    if (found) return candidate;
  }
  throw new Error(
    `PostgreSQL is required, but its programs are neither below ${debianDirectory} nor on PATH. Install it (on Debian ` +
      'and Ubuntu: `apt-get install postgresql`) and try again.',
  );
}

async function identityOf(user: string): Promise<{ uid: number; gid: number }> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (option) => Number((await run('id', [option, user])).stdout)),
    );
    return { uid: uid!, gid: gid! };
  } catch {
    throw new Error(
      `PostgreSQL refuses to run as root, and there is no user "${user}" to run it as. Try again as another user.`,
    );
  }
}

async function waitUntilReady(url: string): Promise<void> {
  const startedAt = Date.now();
  for (;;) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      const { rowCount } = await client.query('select where not pg_is_in_recovery()');
      if (rowCount === 1) return;
      throw new Error('PostgreSQL is still in recovery.');
    } catch (error) {
      if (Date.now() - startedAt > startTimeoutMs) throw error;
    } finally {
      await client.end().catch(() => {});
    }
    await delay(100);
  }
}
