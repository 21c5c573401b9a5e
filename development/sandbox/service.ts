import { readFileSync } from 'node:fs';
import { deploymentPolicy } from '../../composition/deployment-policy.ts';
import { sandboxPolicy } from './policy.ts';
import { readConfig } from '../../runtime/config.ts';
import { sandboxConfigSchema } from './config.ts';
import { runMain } from '../../runtime/process.ts';
import { runService } from './run-service.ts';
import { refuseProduction } from './settings.ts';

runMain(async () => {
  refuseProduction(process.env);
  const config = readConfig(sandboxConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  await runService(config, deploymentPolicy(config, sandboxPolicy));
});
