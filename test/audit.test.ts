import { spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';
import { projectDirectory } from '../development/sandbox/project-directory.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';

/** Runs `npm run audit` against a registry with the given answer. */
async function audit(answer: RequestListener, directory = projectDirectory) {
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
  const program = spawn(process.execPath, ['test/audit.mjs'], {
    cwd: directory,
    env: {
      ...process.env,
      npm_config_registry: `http://127.0.0.1:${address.port}`,
      // npm remembers advisories.
      npm_config_cache: temporaryDirectory(),
    },
  });
  let output = '';
  program.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exitCode = await new Promise((resolve) => {
    program.on('close', resolve);
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

it('if the registry does not answer, the audit prints one line and neither passes nor fails', async () => {
  const { exitCode, output } = await audit((_, response) => void response.writeHead(405).end());
  expect(output).toMatch(/^audit: NOT CARRIED OUT, the registry does not answer audits \(405 .*\)\n$/);
  expect(exitCode).toBe(0);
});

it('the audit fails if npm cannot run it, for example without a lock file', async () => {
  const directory = temporaryDirectory();
  cpSync(join(projectDirectory, 'package.json'), join(directory, 'package.json'));
  cpSync(join(projectDirectory, 'test/audit.mjs'), join(directory, 'test/audit.mjs'));
  const { exitCode, output } = await audit(advisories({}), directory);
  expect(output).toMatch(/^audit: npm could not ask: .*lockfile/);
  expect(exitCode).toBe(1);
});
