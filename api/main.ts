import { readFileSync } from 'node:fs';
import { productionPolicy } from '../contract/registration-policy.ts';
import { apiConfigSchema, readConfig } from '../runtime/config.ts';
import { runMain } from '../runtime/process.ts';
import { runApi } from './run-api.ts';

runMain(async () => {
  const config = readConfig(apiConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  await runApi(config, {
    ...productionPolicy,
    arsCall: {
      ...productionPolicy.arsCall,
      callingHours: config.CALLING_HOURS,
      dailyLimits: {
        member: config.ARS_CALLS_PER_MEMBER,
        phone: config.ARS_CALLS_PER_PHONE,
        account: config.ARS_CALLS_PER_ACCOUNT,
      },
    },
  });
});
