import { z } from 'zod';
import { apiConfigSchema, countSchema, workerConfigSchema } from '../../runtime/config.ts';

/** The environment of the sandbox's service, which needs no PostgreSQL and no token, and has a policy of its own. */
export const sandboxConfigSchema = apiConfigSchema
  .omit({
    DATABASE_URL: true,
    CODEC_TOKEN: true,
    OPERATOR_TOKEN: true,
    CALLING_HOURS: true,
    ARS_CALLS_PER_MEMBER: true,
    ARS_CALLS_PER_PHONE: true,
    ARS_CALLS_PER_ACCOUNT: true,
  })
  .extend({
    TEMPORAL_METRICS_PORT: workerConfigSchema.shape.TEMPORAL_METRICS_PORT,
    HOST: z.string().default('127.0.0.1'),
    // People try a sandbox with bursts. Concurrency limits keep the projects apart, as in production.
    REQUESTS_PER_SECOND: countSchema.default(5_000),
    REQUEST_BURST: countSchema.default(50_000),
    WAITING_REQUESTS: countSchema.default(5_000),
    REQUESTS_IN_FLIGHT: countSchema.default(10_000),
    DATA_DIR: z.string().min(1),
  });
