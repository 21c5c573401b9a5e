import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readConfig, workerConfigSchema } from '../runtime/config.ts';
import { runMain } from '../runtime/process.ts';
import { runWorker } from './run-worker.ts';

/** Where `npm run build` puts the bundled workflows. */
const codePath = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));

runMain(async () => {
  const config = readConfig(workerConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  await runWorker(config, { workflowBundle: { codePath } });
});
