import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { createDataConverter } from '../platform/temporal.ts';
import { workflowsPath } from './worker.ts';

// The bundle holds the failure converter's code but no key, so any well-formed key does.
const { failureConverterPath } = createDataConverter(`build:${Buffer.alloc(32).toString('base64')}`);
const { code } = await bundleWorkflowCode({ workflowsPath, failureConverterPath: failureConverterPath! });
const target = fileURLToPath(new URL('../dist/workflow-bundle.js', import.meta.url));
await mkdir(new URL('../dist/', import.meta.url), { recursive: true });
await writeFile(target, code);
process.stdout.write(`${target}: ${code.length} bytes\n`);
