import { spawn } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { projectDirectory } from '../development/sandbox/project-directory.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';

/** Runs `npm run audit` against a registry with the given answer. */
async function audit(
  answer: RequestListener,
  directory = projectDirectory,
  settings: Readonly<Record<string, string>> = {},
  program: readonly string[] = ['test/audit.mjs'],
) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('The registry has no port.');
  const child = spawn(process.execPath, program, {
    cwd: directory,
    env: {
      ...process.env,
      npm_config_registry: `http://127.0.0.1:${address.port}`,
      // npm remembers advisories.
      npm_config_cache: temporaryDirectory(),
      AUDIT_UNAVAILABLE: '',
      ...settings,
    },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exitCode = await new Promise((resolve) => {
    child.on('close', resolve);
  });
  return { exitCode, output };
}

function advisories(found: object): RequestListener {
  return (request, response) => {
    const isAudit = request.url === '/-/npm/v1/security/advisories/bulk';
    response.writeHead(isAudit ? 200 : 404, {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    });
    response.end(gzipSync(JSON.stringify(isAudit ? found : {})));
  };
}

const advisory = (severity: string) => ({
  hono: [
    {
      id: 1,
      url: 'https://example.com/advisories/1',
      title: 'Invented for a test',
      severity,
      vulnerable_versions: '>=0.0.0',
      cwe: [],
      cvss: { score: 9, vectorString: null },
    },
  ],
});

it.for(['high', 'critical'])('the audit fails on a dependency with a %s vulnerability', async (severity) => {
  const { exitCode, output } = await audit(advisories(advisory(severity)));
  expect(output).toContain(`hono: ${severity}: Invented for a test https://example.com/advisories/1`);
  expect(exitCode).toBe(1);
});

it.for([[{}], [advisory('moderate')]])('the audit passes on %j', async ([found]) => {
  const { exitCode, output } = await audit(advisories(found!));
  expect(output).toBe('audit: no dependency is known to be vulnerable\n');
  expect(exitCode).toBe(0);
});

const silent: RequestListener = (_, response) => void response.writeHead(405).end();

it('the audit fails if the registry does not answer', async () => {
  const { exitCode, output } = await audit(silent);
  expect(output).toMatch(/^audit: NOT CARRIED OUT, the registry does not answer audits \(405 .*\)\n$/);
  expect(exitCode).toBe(1);
});

it('an audit that was not carried out can be waived, but not what it finds', async () => {
  const waiver = { AUDIT_UNAVAILABLE: 'ok' };
  const { exitCode, output } = await audit(silent, projectDirectory, waiver);
  expect(output).toMatch(/^audit: NOT CARRIED OUT, .*; waived by AUDIT_UNAVAILABLE=ok\n$/);
  expect(exitCode).toBe(0);
  expect((await audit(advisories(advisory('high')), projectDirectory, waiver)).exitCode).toBe(1);
});

it('npm test counts an audit that was not carried out as skipped, and says so', async () => {
  const program = "import { audit } from './test/steps.mjs'; console.log(JSON.stringify(audit()));";
  const { output } = await audit(silent, projectDirectory, {}, ['--input-type=module', '--eval', program]);
  expect(output).toMatch(/^NOT CARRIED OUT: the registry does not answer audits/m);
  expect(JSON.parse(output.trim().split('\n').at(-1)!)).toMatchObject({ passed: 0, failed: 0, skipped: 1 });
});

describe('the release workflow', () => {
  const workflow = readFileSync(join(projectDirectory, '.github/workflows/release.yml'), 'utf8');

  it('audits before it builds, and waives nothing', () => {
    const audited = workflow.indexOf('- run: npm run audit\n');
    expect(audited).toBeGreaterThan(0);
    expect(audited).toBeLessThan(workflow.indexOf('npm run build'));
    expect(workflow).not.toMatch(/AUDIT_UNAVAILABLE|continue-on-error|\|\| true/);
  });

  it('attests the provenance of all that it publishes, and runs only actions of a known commit', () => {
    expect(workflow).toMatch(/attest-build-provenance@.*\n\s+with:\n\s+subject-path: release\/\*\n/);
    expect(workflow).toContain('id-token: write');
    const actions = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/@[0-9a-f]{40}$/);
  });
});

it('the audit fails if npm cannot run it, for example without a lock file', async () => {
  const directory = temporaryDirectory();
  cpSync(join(projectDirectory, 'package.json'), join(directory, 'package.json'));
  cpSync(join(projectDirectory, 'test/audit.mjs'), join(directory, 'test/audit.mjs'));
  const { exitCode, output } = await audit(advisories({}), directory);
  expect(output).toMatch(/^audit: npm could not ask: .*lockfile/);
  expect(exitCode).toBe(1);
});
