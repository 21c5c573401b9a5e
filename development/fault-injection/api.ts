import { readFileSync } from 'node:fs';
import { runApi } from '../../api/run-api.ts';
import { apiConfigSchema, readConfig } from '../../runtime/config.ts';
import { runMain } from '../../runtime/process.ts';
import { chaosPolicy } from './policy.ts';

/** The API with waits short enough for a run of minutes. */
runMain(async () => {
  const config = readConfig(apiConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  await runApi(config, chaosPolicy, {
    housekeepingInterval: 3_000,
    sweep: { interval: 3_000, startsPerSecond: 50 },
  });
});
