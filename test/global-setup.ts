import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { searchAttributeNames } from '../contract/search-attributes.ts';
import { findFreePort } from '../development/sandbox/ports.ts';
import { findTemporalExecutable } from '../development/sandbox/temporal-executable.ts';
import { startTemporalServer } from '../development/sandbox/temporal-server.ts';
import { writeWorkflowBundle } from '../worker/workflow-bundle.ts';
import { dumpEmptyDatabase } from './fixtures/empty-database.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the Temporal CLI, for tests that start a server of their own. */
    temporalExecutable: string;
    /** Host and port of the Temporal server that all test files share; namespace `default`. */
    temporalAddress: string;
    /** Path of the bundled workflows. */
    workflowBundle: string;
    /** Path of what an embedded database without rows consists of. */
    emptyDatabase: string;
  }
}

/** Makes once what all test files need, an in-memory Temporal server among it. @returns what takes it away */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const executable = await findTemporalExecutable({
    log: (message) => process.stdout.write(`${message}\n`),
  });
  const server = await startTemporalServer({
    executable,
    port: await findFreePort(),
    headless: true,
    searchAttributes: searchAttributeNames,
  });
  project.provide('temporalExecutable', executable);
  project.provide('temporalAddress', server.address);

  const directory = await mkdtemp(join(tmpdir(), 'test-setup-'));
  const workflowBundle = join(directory, 'workflow-bundle.js');
  await writeWorkflowBundle(workflowBundle);
  project.provide('workflowBundle', workflowBundle);
  const emptyDatabase = join(directory, 'empty-database.tar');
  await writeFile(emptyDatabase, await dumpEmptyDatabase());
  project.provide('emptyDatabase', emptyDatabase);
  return async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
