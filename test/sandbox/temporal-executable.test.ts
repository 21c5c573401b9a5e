import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  findTemporalExecutable,
  NoTemporalExecutableError,
} from '../../development/sandbox/temporal-executable.ts';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

/** A stand-in for the Temporal CLI that prints its server's version. */
function installTemporal(path: string, server = '1.29.1'): string {
  return installScript(path, `echo "temporal version 1.5.1 (Server ${server}, UI 2.42.1)"`);
}

function installScript(path: string, body: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Responds to every request with an archive of the stand-in, and records the requests. */
async function startDownloadSite(): Promise<{ url: string; sum: string; requests: string[] }> {
  const directory = temporaryDirectory();
  installTemporal(join(directory, 'temporal'));
  execFileSync('tar', ['-czf', 'archive.tar.gz', 'temporal'], { cwd: directory });
  const archive = readFileSync(join(directory, 'archive.tar.gz'));
  const requests: string[] = [];
  const port = await findFreePort();
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.end(archive);
  }).listen(port, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const sum = createHash('sha256').update(archive).digest('hex');
  return { url: `http://127.0.0.1:${port}`, sum, requests };
}

async function temporaryPaths(): Promise<{
  bin: string;
  cacheDirectory: string;
  cached: string;
  closedSite: string;
  log: (message: string) => void;
  messages: string[];
}> {
  const directory = temporaryDirectory();
  const cacheDirectory = join(directory, 'cache');
  const messages: string[] = [];
  return {
    bin: join(directory, 'bin'),
    cacheDirectory,
    cached: join(cacheDirectory, 'temporal-1.5.1', 'temporal'),
    closedSite: `http://127.0.0.1:${await findFreePort()}`,
    log: (message) => void messages.push(message),
    messages,
  };
}

/** A stand-in for Go whose `install` puts the stand-in for Temporal into GOBIN. */
function installGo(bin: string): void {
  installScript(
    join(bin, 'go'),
    `echo "$@" > "$GOBIN/../go-arguments"
     printf '#!/bin/sh\\necho "temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)"\\n' > "$GOBIN/temporal"
     /bin/chmod 755 "$GOBIN/temporal"`,
  );
}

test('TEMPORAL_CLI_PATH takes precedence', async () => {
  const { bin, cacheDirectory, cached, log } = await temporaryPaths();
  const configured = installTemporal(join(bin, 'configured'));
  installTemporal(join(bin, 'temporal'));
  installTemporal(cached);

  const environment = { TEMPORAL_CLI_PATH: configured, PATH: bin };

  expect(await findTemporalExecutable({ environment, cacheDirectory, log })).toBe(configured);
});

test('an unusable TEMPORAL_CLI_PATH is an error, even if another source would work', async () => {
  const { bin, cacheDirectory, log } = await temporaryPaths();
  installTemporal(join(bin, 'temporal'));
  const environment = { TEMPORAL_CLI_PATH: join(bin, 'missing'), PATH: bin };

  await expect(findTemporalExecutable({ environment, cacheDirectory, log })).rejects.toThrow(
    `TEMPORAL_CLI_PATH names ${join(bin, 'missing')}, which cannot be used: it is not an executable file`,
  );
});

test('temporal on PATH is preferred to the cache', async () => {
  const { bin, cacheDirectory, cached, log } = await temporaryPaths();
  const installed = installTemporal(join(bin, 'temporal'));
  installTemporal(cached);

  expect(await findTemporalExecutable({ environment: { PATH: bin }, cacheDirectory, log })).toBe(installed);
});

test('a temporal on PATH whose server is too old is skipped', async () => {
  const { bin, cacheDirectory, cached, log } = await temporaryPaths();
  installTemporal(join(bin, 'temporal'), '1.20.0');
  installTemporal(cached);

  expect(await findTemporalExecutable({ environment: { PATH: bin }, cacheDirectory, log })).toBe(cached);
});

test('the per-user cache is preferred to a download', async () => {
  const { bin, cacheDirectory, log } = await temporaryPaths();
  const site = await startDownloadSite();
  const shared = join(cacheDirectory, 'withdrawal-account-registration', 'temporal-1.5.1', 'temporal');
  installTemporal(shared);
  const environment = { PATH: bin, XDG_CACHE_HOME: cacheDirectory };

  expect(await findTemporalExecutable({ environment, downloadSite: site.url, log })).toBe(shared);
  expect(site.requests).toEqual([]);
});

test('a download is preferred to a build and stored in the cache', async () => {
  const { bin, cacheDirectory, cached, log, messages } = await temporaryPaths();
  installGo(bin);
  const site = await startDownloadSite();
  const where = { cacheDirectory, downloadSite: site.url, archiveSum: site.sum };
  const options = { environment: { PATH: bin }, ...where, log };

  expect(await findTemporalExecutable(options)).toBe(cached);
  expect(await findTemporalExecutable(options)).toBe(cached);

  expect(site.requests).toEqual([expect.stringMatching(/^\/cli\/archive\/v1\.5\.1\?platform=\w+&arch=\w+$/)]);
  expect(messages).toEqual([expect.stringContaining('Downloading the Temporal CLI 1.5.1')]);
  expect(readdirSync(dirname(cached))).toEqual(['temporal']);
});

test('a download that is not the published archive is neither kept nor run', async () => {
  const { bin, cacheDirectory, cached, log } = await temporaryPaths();
  const site = await startDownloadSite();
  const options = { environment: { PATH: bin }, cacheDirectory, downloadSite: site.url, log };

  const failure = findTemporalExecutable(options);

  await expect(failure).rejects.toThrow('its SHA-256 sum is not that of the published archive');
  expect(readdirSync(dirname(cached))).toEqual([]);
});

test('if the download fails, the CLI is built with Go and stored in the cache', async () => {
  const { bin, cacheDirectory, cached, closedSite, log } = await temporaryPaths();
  installGo(bin);
  const options = { environment: { PATH: bin }, cacheDirectory, downloadSite: closedSite, log };

  expect(await findTemporalExecutable(options)).toBe(cached);

  expect(readFileSync(join(dirname(cached), 'go-arguments'), 'utf8')).toBe(
    'install github.com/temporalio/cli/cmd/temporal@v1.5.1\n',
  );
});

test('when nothing works, one error lists each attempt with its reason', async () => {
  const { bin, cacheDirectory, cached, closedSite, log } = await temporaryPaths();
  installScript(join(bin, 'go'), 'echo "go: no route to the module proxy" >&2; exit 1');
  const options = { environment: { PATH: bin }, cacheDirectory, downloadSite: closedSite, log };

  const failure = findTemporalExecutable(options);

  await expect(failure).rejects.toThrow(NoTemporalExecutableError);
  for (const reason of [
    'TEMPORAL_CLI_PATH: not set',
    'temporal on PATH: not found',
    `the cache, ${cached}: not found`,
    `download from ${closedSite}: connect ECONNREFUSED`,
    'build with Go: go: no route to the module proxy',
    'Install the Temporal CLI',
  ]) {
    await expect(failure).rejects.toThrow(reason);
  }
});

test('a build can be cancelled', async () => {
  const { bin, cacheDirectory, closedSite, log } = await temporaryPaths();
  installScript(join(bin, 'go'), 'exec /bin/sleep 60');
  const signal = AbortSignal.timeout(500);
  const options = { environment: { PATH: bin }, cacheDirectory, downloadSite: closedSite, log, signal };

  await expect(findTemporalExecutable(options)).rejects.toThrow('aborted due to timeout');
});
