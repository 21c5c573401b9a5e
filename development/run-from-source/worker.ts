import { workerConfigSchema } from '../../runtime/config.ts';
import { runMain } from '../../runtime/process.ts';
import { settingsSource } from '../../runtime/reloaded-settings.ts';
import { runWorker } from '../../worker/run-worker.ts';
import { buildWorkflowBundle } from '../build/workflow-bundle.ts';

/** `npm run worker`: the worker without a build. */
runMain(async () => {
  const source = settingsSource(workerConfigSchema, process.env);
  await runWorker(source, { workflowBundle: await buildWorkflowBundle() });
});
