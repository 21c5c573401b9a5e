import { readFileSync } from 'node:fs';
import { runApi } from '../../api/run-api.ts';
import { apiConfigSchema, readConfig } from '../../runtime/config.ts';
import { deploymentPolicy } from '../../composition/deployment-policy.ts';
import { runMain } from '../../runtime/process.ts';
import { buildDocsPage } from '../build/docs-page.ts';

/** `npm run api`: the API without a build. */
runMain(async () => {
  const config = readConfig(apiConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  await runApi(config, deploymentPolicy(config), { loadDocsPage: buildDocsPage });
});
