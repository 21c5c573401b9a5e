import { runApi } from '../../api/run-api.ts';
import { apiConfigSchema } from '../../runtime/config.ts';
import { runMain } from '../../runtime/process.ts';
import { settingsSource } from '../../runtime/reloaded-settings.ts';
import { chaosPolicy } from './policy.ts';

/** The API with waits short enough for a run of minutes. */
runMain(() =>
  runApi(settingsSource(apiConfigSchema, process.env), {
    policy: chaosPolicy,
    housekeepingInterval: 3_000,
    sweep: { interval: 3_000, startsPerSecond: 50 },
  }),
);
