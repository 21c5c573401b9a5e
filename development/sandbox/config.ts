import { z } from 'zod';
import { apiConfigSchema, countSchema, workerConfigSchema } from '../../runtime/config.ts';
import { sandboxPolicy } from './policy.ts';

/** Every setting of API and worker, as docs/configuration.md lists them. */
const catalogue = z.object({ ...apiConfigSchema.shape, ...workerConfigSchema.shape });

const { member, phone, account, provider, otherPhone } = sandboxPolicy.arsCall.dailyLimits;

/**
 * The environment of the sandbox's service, which needs no PostgreSQL and no token, has no versions of its worker, and
 * lets people try it at any hour and with bursts.
 */
export const sandboxConfigSchema = catalogue
  .omit({
    DATABASE_URL: true,
    DATABASE_CONNECTIONS: true,
    CONCURRENT_ACTIVITIES: true,
    CONCURRENT_WORKFLOW_TASKS: true,
    CODEC_TOKENS: true,
    OPERATOR_TOKENS: true,
    SECOND_PERSON_FOR: true,
    HEALTH_PORT: true,
    HEALTH_HOST: true,
    TEMPORAL_API_KEY: true,
    TEMPORAL_DEPLOYMENT_NAME: true,
    TEMPORAL_BUILD_ID: true,
  })
  .extend({
    HOST: z.string().default('127.0.0.1'),
    // Nothing stands in front of it.
    SHUTDOWN_DELAY_MS: catalogue.shape.SHUTDOWN_DELAY_MS.prefault('0'),
    CALLING_HOURS: catalogue.shape.CALLING_HOURS.prefault('always'),
    ARS_CALLS_PER_MEMBER: countSchema.default(member),
    ARS_CALLS_PER_PHONE: countSchema.default(phone),
    ARS_CALLS_PER_ACCOUNT: countSchema.default(account),
    ARS_CALLS_PER_PROVIDER: countSchema.default(provider),
    ARS_CALLS_PER_OTHER_PHONE: countSchema.default(otherPhone),
    ACCOUNT_CHECKS_PER_MEMBER: countSchema.default(sandboxPolicy.accountHolderCheck.maxPerDay),
    // Concurrency limits keep the projects apart, as in production.
    REQUESTS_PER_SECOND: countSchema.default(5_000),
    REQUEST_BURST: countSchema.default(50_000),
    WAITING_REQUESTS: countSchema.default(5_000),
    REQUESTS_IN_FLIGHT: countSchema.default(10_000),
    FAILURES_PER_MINUTE: countSchema.default(1_000),
    DATA_DIR: z.string().min(1),
    SANDBOX_OPERATOR_TOKEN: z.string().min(1).optional().describe('bearer token of POST /sandbox/operator'),
  });

/** What `npm start` decides itself: the sandbox reaches nothing but this machine, and only this machine reaches it. */
const decided: readonly string[] = [
  'HOST',
  'DATABASE_URL',
  'DATABASE_CONNECTIONS',
  'CONCURRENT_ACTIVITIES',
  'CONCURRENT_WORKFLOW_TASKS',
  'DATABASE_KEYS',
  'PAYLOAD_KEYS',
  'PG_BASE_URL',
  'PG_SHARED_SECRET',
  'PG_CALLBACK_URL',
  'CODEC_ALLOWED_ORIGIN',
  'CODEC_TOKENS',
  'OPERATOR_TOKENS',
  'SECOND_PERSON_FOR',
  'HEALTH_PORT',
  'HEALTH_HOST',
  'TEMPORAL_API_KEY',
  'TEMPORAL_DEPLOYMENT_NAME',
  'TEMPORAL_BUILD_ID',
];

/** The settings that `npm start` passes on to the service. `PORT` is one of its own. */
const passedOn = Object.keys(catalogue.shape).filter((name) => name !== 'PORT' && !decided.includes(name));

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of the service in an environment, given by value or as a file. */
export function readServiceSettings(environment: Environment): Record<string, string> {
  const given = passedOn.flatMap((name) => [name, `${name}_FILE`]).filter((name) => environment[name]);
  return Object.fromEntries(given.map((name) => [name, environment[name]!]));
}

/** The settings in an environment that have no effect on the sandbox, because it decides them itself. */
export function findIgnoredSettings(environment: Environment): string[] {
  const ofTemporal = /^TEMPORAL_(ADDRESS|NAMESPACE|TLS)/;
  return Object.keys(environment).filter(
    (name) => environment[name] && (decided.includes(name.replace(/_FILE$/, '')) || ofTemporal.test(name)),
  );
}
