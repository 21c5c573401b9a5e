import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { failureConverterPath } from '../../encryption/data-converter.ts';

/** The file the workflows are bundled from. */
export const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

/** Part of the bundle: what every workflow passes through. */
export const workflowInterceptorModules = [
  fileURLToPath(new URL('../../workflows/refuse-unreadable-payloads.ts', import.meta.url)),
];

const ignore = (): void => {};
const quiet = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Bundles the workflows with all they import, which takes about 2 s. The bundle holds no keys. */
export async function buildWorkflowBundle(): Promise<{ code: string }> {
  return await bundleWorkflowCode({
    workflowsPath,
    failureConverterPath,
    workflowInterceptorModules,
    logger: quiet,
  });
}
