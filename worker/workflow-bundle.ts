import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { failureConverterPath } from '../encryption/data-converter.ts';

/** The file the workflows are bundled from. */
export const workflowsPath = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

const ignore = (): void => {};
const quiet = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

/**
 * Bundles the workflows into a file, so that several workers start at once and alike. It holds no keys.
 * @returns the length in characters
 */
export async function writeWorkflowBundle(file: string): Promise<number> {
  const { code } = await bundleWorkflowCode({ workflowsPath, failureConverterPath, logger: quiet });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, code);
  return code.length;
}
