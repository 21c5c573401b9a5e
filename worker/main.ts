import { fileURLToPath } from 'node:url';
import { workerConfigSchema } from '../runtime/config.ts';
import { runMain } from '../runtime/process.ts';
import { settingsSource } from '../runtime/reloaded-settings.ts';
import { runWorker } from './run-worker.ts';

/** Where `npm run build` puts the bundled workflows. */
const codePath = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));

runMain(() => runWorker(settingsSource(workerConfigSchema, process.env), { workflowBundle: { codePath } }));
