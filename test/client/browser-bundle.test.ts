import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { browserGlobals } from '../fixtures/browser-globals.ts';
import { envelope, startKmServer } from './km-server.ts';
import { project, registrationNumber } from './project.ts';

test('the client is bundled for browsers and works with the globals of browsers alone', async () => {
  // With the platform "browser", esbuild fails on every import of a Node module.
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('../../client/index.ts', import.meta.url))],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'km',
    write: false,
    logLevel: 'silent',
  });
  const code = bundle.outputFiles[0]!.text;

  const server = await startKmServer(
    envelope('000_000', '"status":"ARS_AUTH_DONE"'),
    envelope('000_000', '"status":"BANK_ACC_REGISTERED"'),
  );
  const browser = createContext({
    ...browserGlobals,
    options: { ...project, baseUrl: server.baseUrl },
    registrationNumber,
  });
  const script = 'km.createKmClient(options).waitUntilDone(registrationNumber, { intervalMs: 1 })';
  const result: unknown = await runInContext(`${code}; ${script}`, browser);
  expect(result).toEqual({ status: 'BANK_ACC_REGISTERED' });
  expect(server.requests).toHaveLength(2);
});
