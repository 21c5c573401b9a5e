import type { TestProject } from 'vitest/node';
import { searchAttributeNames } from '../contract/search-attributes.ts';
import { findFreePort } from '../sandbox/ports.ts';
import { findTemporalExecutable } from '../sandbox/temporal-executable.ts';
import { startTemporalServer } from '../sandbox/temporal-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the Temporal CLI, for tests that start a server of their own. */
    temporalExecutable: string;
    /** Host and port of the Temporal server that all test files share; namespace `default`. */
    temporalAddress: string;
  }
}

/** Starts one in-memory Temporal server for all test files. @returns what stops it */
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
  return () => server.stop();
}
