import { readFileSync } from 'node:fs';
import { readConfig, sandboxConfigSchema } from '../../platform/config.ts';
import { runMain } from '../../platform/process.ts';
import { runService } from '../../sandbox/run-service.ts';
import { patientPolicy } from './patient-policy.ts';

/** The sandbox's service, giving up nothing while it is killed and started again. */
runMain(async () => {
  const config = readConfig(sandboxConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  await runService(config, patientPolicy);
});
