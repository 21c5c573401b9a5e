import { readFileSync } from 'node:fs';
import { readConfig, workerConfigSchema } from '../../runtime/config.ts';
import { runMain } from '../../runtime/process.ts';
import { runWorker } from '../../worker/run-worker.ts';
import { buildWorkflowBundle } from '../build/workflow-bundle.ts';

/** `npm run worker`: the worker without a build. */
runMain(async () => {
  const config = readConfig(workerConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  await runWorker(config, { workflowBundle: await buildWorkflowBundle() });
});
