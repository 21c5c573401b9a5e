import { readFileSync } from 'node:fs';
import { readConfig } from '../../runtime/config.ts';
import { sandboxConfigSchema } from '../../development/sandbox/config.ts';
import { runMain } from '../../runtime/process.ts';
import { runService } from '../../development/sandbox/run-service.ts';
import { patientPolicy } from './patient-policy.ts';

/** The sandbox's service with a policy that does not give up while it is killed and restarted. */
runMain(async () => {
  const config = readConfig(sandboxConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  await runService(config, patientPolicy);
});
