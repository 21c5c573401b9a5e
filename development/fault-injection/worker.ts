import { readFileSync } from 'node:fs';
import { sandboxCircuitBreakers } from '../sandbox/policy.ts';
import { readConfig, workerConfigSchema } from '../../runtime/config.ts';
import { runMain } from '../../runtime/process.ts';
import { runWorker } from '../../worker/run-worker.ts';

/** The worker. It may deliver results to this machine, and its circuit breakers retry soon. */
runMain(async () => {
  const config = readConfig(workerConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  const workflowBundle = { codePath: process.env['WORKFLOW_BUNDLE']! };
  await runWorker(config, { workflowBundle, allowLoopback: true, circuitBreakers: sandboxCircuitBreakers });
});
