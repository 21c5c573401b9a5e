import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { ProvidedContext } from 'vitest';
import type { TestProject } from 'vitest/node';
import { searchAttributeNames } from '../contract/search-attributes.ts';
import { findFreePort } from '../development/sandbox/ports.ts';
import { findTemporalExecutable } from '../development/sandbox/temporal-executable.ts';
import { startTemporalServer } from '../development/sandbox/temporal-server.ts';
import { buildWorkflowBundle } from '../development/build/workflow-bundle.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the Temporal CLI, for tests that start a server of their own. */
    temporalExecutable: string;
    /** Host and port of the Temporal server that all test files share; namespace `default`. */
    temporalAddress: string;
    /** Path of the bundled workflows. */
    workflowBundle: string;
    /** Path of the files of an embedded database without rows. */
    emptyDatabase: string;
  }
}

/** What one set-up can share between several runs of vitest. Each bundles its own workflows where no bundle is shared. */
export type Shared = Omit<ProvidedContext, 'workflowBundle'> & Partial<ProvidedContext>;

/** Makes once what all test files need. @returns removes it */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Set by `npm run guards`, which runs vitest once for each guard.
  const given = process.env['SHARED_TEST_SETUP'];
  const { shared, stop } = given
    ? { shared: JSON.parse(given) as Shared, stop: async () => {} }
    : await startShared();
  for (const name of ['temporalExecutable', 'temporalAddress', 'emptyDatabase'] as const) {
    project.provide(name, shared[name]);
  }
  const directory = await mkdtemp(join(tmpdir(), 'test-setup-'));
  project.provide('workflowBundle', shared.workflowBundle ?? (await writeWorkflowBundle(directory)));
  return async () => {
    await stop();
    await rm(directory, { recursive: true, force: true });
  };
}

/** @returns its path */
export async function writeWorkflowBundle(directory: string): Promise<string> {
  const workflowBundle = join(directory, 'workflow-bundle.js');
  await writeFile(workflowBundle, (await buildWorkflowBundle()).code);
  return workflowBundle;
}

/** Starts an in-memory Temporal server and makes an empty database. `stop` removes both. */
export async function startShared(): Promise<{ shared: Shared; stop: () => Promise<void> }> {
  const temporalExecutable = await findTemporalExecutable({
    log: (message) => process.stdout.write(`${message}\n`),
  });
  const server = await startTemporalServer({
    executable: temporalExecutable,
    port: await findFreePort(),
    headless: true,
    searchAttributes: searchAttributeNames,
  });
  const directory = await mkdtemp(join(tmpdir(), 'test-setup-'));
  const emptyDatabase = join(directory, 'empty-database.tar');
  await writeFile(emptyDatabase, await dumpEmptyDatabase());
  return {
    shared: { temporalExecutable, temporalAddress: server.address, emptyDatabase },
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A data directory as PostgreSQL makes it at first, as a tar file: making one takes seconds. */
async function dumpEmptyDatabase(): Promise<Uint8Array> {
  const pglite = await PGlite.create();
  const dump = await pglite.dumpDataDir('none');
  await pglite.close();
  return new Uint8Array(await dump.arrayBuffer());
}
