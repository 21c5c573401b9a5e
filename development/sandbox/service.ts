import { readFileSync } from 'node:fs';
import { sandboxPolicy } from '../../contract/registration-policy.ts';
import { readConfig, sandboxConfigSchema } from '../../runtime/config.ts';
import { runMain } from '../../runtime/process.ts';
import { runService } from './run-service.ts';
import { refuseProduction } from './settings.ts';

runMain(async () => {
  refuseProduction(process.env);
  const config = readConfig(sandboxConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  await runService(config, sandboxPolicy);
});
