import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The environment variables. */
type Environment = Readonly<Record<string, string | undefined>>;

/** A sandbox as it announces itself to the command lines of its user. */
export interface RunningSandbox {
  /** Such as `http://localhost:3000`. */
  readonly url: string;
  /** Authorizes operator's commands. Other programs, such as a page in a browser, reach the sandbox without it. */
  readonly operatorToken: string;
  /** When it became ready, in Unix ms. */
  readonly readyAt: number;
}

/** How long a sandbox may take to answer, in ms. */
const answerTimeoutMs = 2_000;

/**
 * Announces a sandbox, so that `km` and `operator` find it wherever it listens. The announcement outlives the sandbox, which then does
 * not answer.
 * @throws {Error} when the directory of announcements cannot be written to
 */
export function announceSandbox(environment: Environment, sandbox: RunningSandbox): void {
  const directory = announcementsOf(environment);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, `${new URL(sandbox.url).port}.json`);
  writeFileSync(file, JSON.stringify(sandbox), { mode: 0o600 });
}

/** Finds the sandbox that became ready last among those that still answer. */
export async function findRunningSandbox(environment: Environment): Promise<RunningSandbox | undefined> {
  const announced = readAnnouncements(announcementsOf(environment));
  for (const sandbox of announced.toSorted((one, other) => other.readyAt - one.readyAt)) {
    if (await answers(sandbox.url)) return sandbox;
  }
  return undefined;
}

/** One file for each port. */
function announcementsOf(environment: Environment): string {
  const state = environment['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  return join(state, 'withdrawal-account-registration', 'sandboxes');
}

function readAnnouncements(directory: string): RunningSandbox[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(directory, name), 'utf8')) as RunningSandbox];
    } catch {
      // It is being written.
      return [];
    }
  });
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(answerTimeoutMs) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
