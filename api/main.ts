import { readFileSync } from 'node:fs';
import { apiConfigSchema, readConfig } from '../runtime/config.ts';
import { deploymentPolicy } from '../runtime/deployment-policy.ts';
import { runMain } from '../runtime/process.ts';
import { runApi } from './run-api.ts';

runMain(async () => {
  const config = readConfig(apiConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  await runApi(config, deploymentPolicy(config));
});
