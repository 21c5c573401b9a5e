import { execFile } from 'node:child_process';
import { readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import { ringing } from '../fixtures/members-of-stack.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';
import type { Project } from '../fixtures/wire-client.ts';
import { startGroup } from '../processes/process-group.ts';

const folder = join(projectDirectory, 'docs', 'runbooks');
const pages = readdirSync(folder).filter((name) => name !== 'README.md');

/** Commands that a healthy sandbox refuses, with what they say. */
const refusals: Readonly<Record<string, RegExp>> = {
  resolve: /is not in REVIEW/,
  // Temporal's development server keeps ended runs for a day.
  setup: /ended runs are kept for 1 days/,
};

it('every command of every runbook runs in a sandbox', async () => {
  const [port, simulatorPort, temporalPort, metricsPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ];
  const url = `http://127.0.0.1:${port}`;
  const state = temporaryDirectory();
  const sandbox = startGroup('npm', ['start'], {
    PORT: String(port),
    PG_SIMULATOR_PORT: String(simulatorPort),
    TEMPORAL_PORT: String(temporalPort),
    TEMPORAL_CLI_PATH: inject('temporalExecutable'),
    DATA_DIR: temporaryDirectory(),
    XDG_STATE_HOME: state,
    METRICS_PORT: String(metricsPort),
  });
  await sandbox.untilOutput(/^ready .*$/m);
  const credentials = (await (await fetch(`${url}/sandbox/credentials`)).json()) as { projects: Project[] };
  const project = credentials.projects[0]!;
  const receiver = await startNotificationReceiver();
  onTestFinished(() => void receiver.close());
  await fetch(`${url}/sandbox/projects/${project.aspId}/callback`, {
    method: 'PUT',
    body: JSON.stringify({ callbackUrl: receiver.url }),
  });
  const register = async (member: number, details: object) =>
    String(
      (await call(url, project, '/ars/register', { ...registration(project, member), ...details })).body[
        'bankAccRegNo'
      ],
    );
  const ended = await register(0, {});
  await untilEnded(url, project, ended);
  let member = 0;
  const values: Readonly<Record<string, () => Promise<string>>> = {
    '<ended registration>': async () => ended,
    // It ends by itself after a while, so each command gets one of its own.
    '<open registration>': () => register(++member, ringing),
    '<ASP ID>': async () => project.aspId,
  };
  const programs = temporaryDirectory();
  symlinkSync(inject('temporalExecutable'), join(programs, 'temporal'));
  // Whoever names a database is not sent to the sandbox.
  const { DATABASE_URL: _, ...inherited } = process.env;
  const environment = {
    ...inherited,
    PATH: [programs, process.env['PATH']].join(delimiter),
    XDG_STATE_HOME: state,
    API_URL: url,
    METRICS_URL: `http://127.0.0.1:${metricsPort}/metrics`,
    TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}`,
  };

  for (const command of new Set(pages.flatMap(commandsOf))) {
    let script = command;
    for (const [name, find] of Object.entries(values)) {
      if (script.includes(name)) script = script.replace(name, await find());
    }
    expect(script).not.toMatch(/<\w/);
    const { code, output } = await run(script, environment);
    const refusal = refusals[/operator -- (\w+)/.exec(command)?.[1] ?? ''];
    expect(output, command).toMatch(refusal ?? /^/);
    expect(code, `${command}\n${output}`).toBe(refusal ? 1 : 0);
  }
  sandbox.terminate();
  await sandbox.exited;
}, 900_000);

function commandsOf(page: string): string[] {
  const text = readFileSync(join(folder, page), 'utf8');
  const commands = [...text.matchAll(/^```sh\n([^]*?)^```/gm)].flatMap(([, lines]) =>
    lines!.trim().split('\n'),
  );
  expect(commands, page).not.toEqual([]);
  return commands;
}

async function run(script: string, env: NodeJS.ProcessEnv) {
  const bash = promisify(execFile)('bash', ['-o', 'pipefail', '-c', script], { env, cwd: projectDirectory });
  return await bash.then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      output: stdout + stderr,
    }),
  );
}
