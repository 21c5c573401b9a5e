import { readFileSync } from 'node:fs';
import { readConfig, workerConfigSchema } from '../runtime/config.ts';
import { runMain } from '../runtime/process.ts';
import { runWorker } from './run-worker.ts';

runMain(async () => {
  await runWorker(readConfig(workerConfigSchema, process.env, (path) => readFileSync(path, 'utf8')));
});
