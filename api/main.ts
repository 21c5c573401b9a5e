import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { apiConfigSchema, readConfig } from '../runtime/config.ts';
import { deploymentPolicy } from '../composition/deployment-policy.ts';
import { runMain } from '../runtime/process.ts';
import { readDocsPage } from './docs-page.ts';
import { runApi } from './run-api.ts';

/** Where `npm run build` puts the documentation page. */
const docsPageDirectory = fileURLToPath(new URL('../docs-page', import.meta.url));

runMain(async () => {
  const config = readConfig(apiConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  await runApi(config, deploymentPolicy(config), {
    loadDocsPage: () => readDocsPage(docsPageDirectory),
  });
});
