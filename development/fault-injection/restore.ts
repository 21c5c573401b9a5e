import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { startNodeChild } from '../sandbox/child-process.ts';
import { projectDirectory } from '../sandbox/project-directory.ts';
import type { ProcessName } from './plan.ts';
import type { PostgresCluster } from './postgres.ts';
import type { SupervisedProcess } from './supervised-process.ts';

/** A restore of the database: what was committed between the two times is lost. In Unix ms. */
export interface Restore {
  readonly to: number;
  readonly at: number;
}

interface Parts {
  readonly to: Date;
  readonly cluster: PostgresCluster;
  readonly processes: Readonly<Record<ProcessName, SupervisedProcess>>;
  /** Of the operator's commands. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logDirectory: string;
  readonly print: (line: string) => void;
}

/** How often a command is repeated that cannot be carried out yet, and the pause before, in ms. */
const tries = { max: 15, pause: 1_000 };

/**
 * Puts the database back to how it was at `to`, with the steps of docs/disaster-recovery.md.
 * @throws {Error} when a command of the operator keeps failing
 */
export async function carryOutRestore(parts: Parts): Promise<Restore> {
  const { to, cluster, processes } = parts;
  await Promise.all(Object.values(processes).map((process) => process.waitUntilRunning()));
  const startApi = await processes.api.hold();
  const startWorkers = await Promise.all([processes.worker.hold(), processes.secondWorker.hold()]);
  const at = Date.now();
  await commitOnce(cluster.url);
  const startDatabase = await processes.database.hold();
  await cluster.recover(to);
  startDatabase();
  await processes.database.waitUntilRunning();

  await operate(parts, 'restored', '--to', to.toISOString());
  // What it leaves to be decided is decided below: it is repeated once what was in the way has ended.
  const isDecided = await carryOut(parts, ['adopt']);
  for (const start of startWorkers) start();
  startApi();
  await Promise.all(
    [processes.api, processes.worker, processes.secondWorker].map((each) => each.waitUntilRunning()),
  );
  await operate(parts, 'resume', '--all');
  if (!isDecided) await operate(parts, 'adopt');
  return { to: to.getTime(), at };
}

/** Recovery to a time ends at the first later commit, so there must be one. */
async function commitOnce(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('select pg_current_xact_id()');
  await client.end();
}

/** Carries out a command of the operator, repeatedly if need be. @throws {Error} when it keeps failing */
async function operate(parts: Parts, ...words: readonly string[]): Promise<void> {
  for (let attempt = 1; attempt <= tries.max; attempt++) {
    if (await carryOut(parts, words)) return;
    await delay(tries.pause);
  }
  throw new Error(`operator ${words.join(' ')} keeps failing. See the log directory.`);
}

/** @returns whether the command was carried out */
async function carryOut(
  { environment, logDirectory, print }: Parts,
  words: readonly string[],
): Promise<boolean> {
  const logFile = join(logDirectory, `operator-${words[0]}-${Date.now()}.log`);
  const file = join(projectDirectory, 'development', 'fault-injection', 'operator.ts');
  const command = await startNodeChild({ name: 'operator', file, arguments: words, environment, logFile });
  const { code } = await command.exited;
  const output = (await readFile(logFile, 'utf8')).trim();
  print(`  operator ${words.join(' ')}: ${output.split('\n').at(-1)}`);
  return code === 0;
}
