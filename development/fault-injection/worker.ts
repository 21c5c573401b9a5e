import { sandboxCircuitBreakers } from '../sandbox/policy.ts';
import { workerConfigSchema } from '../../runtime/config.ts';
import { runMain } from '../../runtime/process.ts';
import { settingsSource } from '../../runtime/reloaded-settings.ts';
import { runWorker } from '../../worker/run-worker.ts';

/** The worker. It may deliver results to this machine, and its circuit breakers retry soon. */
runMain(() =>
  runWorker(settingsSource(workerConfigSchema, process.env), {
    workflowBundle: { codePath: process.env['WORKFLOW_BUNDLE']! },
    allowLoopback: true,
    circuitBreakers: sandboxCircuitBreakers,
  }),
);
