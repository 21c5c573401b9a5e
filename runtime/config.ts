import { z } from 'zod';
import { parseKoreanHours } from '../contract/korean-time.ts';
import { KeyRing } from '../encryption/key-ring.ts';
import { hashedTokensSchema } from './bearer-tokens.ts';

const secret = z.string().min(16);
/** Several secrets, separated by commas. */
const secrets = z.string().refine((list) => list.split(',').every((each) => secret.safeParse(each).success), {
  error: 'Invalid secrets',
});
const keys = z.string().superRefine(requireKeys);
/** A TCP port, read from an environment variable. */
export const portSchema = z.coerce.number().int().min(1).max(65_535);
/** A number of things, at least one. */
export const countSchema = z.coerce.number().int().positive();

/** How many tasks a worker processes at a time by default. */
export const defaultSlots = { activities: 100, workflowTasks: 40 };

/** How many activities of each kind may share a connection to the database: more would wait longer than they may take. */
const activitiesPerConnection = 10;

const plaintextConnection = z.enum(['postgresql', 'temporal', 'metrics']);
/** A connection inside the deployment that may be plaintext on a private network. */
export type PlaintextConnection = z.output<typeof plaintextConnection>;
const plaintextConnections = z
  .string()
  .default('')
  .transform((list) => list.split(',').filter(Boolean))
  .pipe(z.array(plaintextConnection))
  .describe('the connections that may be plaintext: postgresql, temporal, metrics, separated by commas');

/** The environment of every process of the service. */
const commonSchema = z.object({
  DATABASE_KEYS: keys.describe('database keys, id:base64 of 32 bytes each, the first one active'),
  PAYLOAD_KEYS: keys.describe('payload keys, id:base64 of 32 bytes each, the first one active'),
  PG_BASE_URL: z.url().describe('base URL of the payment gateway'),
  PG_SHARED_SECRET: secrets.describe(
    'secrets of 16 characters or more shared with the payment gateway, the first one signs',
  ),
  PG_CALLBACK_URL: z
    .url()
    .describe('URL of /pg/callbacks of this service, as the payment gateway reaches it'),
  DATABASE_CONNECTIONS: countSchema
    .default(10)
    .describe('connections to PostgreSQL that this process opens at most'),
  DATABASE_FAILOVER: z
    .enum(['asynchronous', 'synchronous'])
    .default('asynchronous')
    .describe('synchronous if a failover of the database loses nothing, else asynchronous'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
  NODE_ENV: z.string().optional().describe('development or test; anything else is production'),
  NODE_OPTIONS: z.string().optional(),
  NODE_TLS_REJECT_UNAUTHORIZED: z.string().optional(),
  PLAINTEXT_ON_PRIVATE_NETWORK: plaintextConnections,
  TEMPORAL_API_KEY: z.string().min(1).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).optional(),
  METRICS_PORT: portSchema.optional(),
  METRICS_HOST: z.string().default('127.0.0.1'),
});

const databaseUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//)
  .describe('PostgreSQL, postgres://user:password@host:5432/name');

/** What operators may be kept from doing alone. */
const secondPersonActs = ['verdict', 'erasure', 'release', 'export'] as const;

/** What needs a second person. */
export type SecondPersonAct = (typeof secondPersonActs)[number];

/** What the environment decides about the policy of registrations. */
export const policyConfigSchema = z.object({
  CALLING_HOURS: z
    .string()
    .default('08:00-21:00')
    .refine((text) => text === 'always' || parseKoreanHours(text) !== undefined, 'Invalid hours')
    .transform((text) => parseKoreanHours(text))
    .describe('when members may be called, HH:MM-HH:MM in Korean time, or: always'),
  ARS_CALLS_PER_MEMBER: countSchema.default(10).describe('ARS calls a day to one member'),
  ARS_CALLS_PER_PHONE: countSchema.default(10).describe('ARS calls a day to one phone number'),
  ARS_CALLS_PER_ACCOUNT: countSchema.default(10).describe('ARS calls a day for one account at one bank'),
  ARS_CALLS_PER_PROVIDER: countSchema
    .default(6)
    .describe('ARS calls a day that one service provider may use of those of a phone number or an account'),
  ARS_CALLS_PER_OTHER_PHONE: countSchema
    .default(3)
    .describe('ARS calls a day by one service provider to a phone number that is not its member’s'),
  ACCOUNT_CHECKS_PER_MEMBER: countSchema
    .default(20)
    .describe('accounts a day whose holder is checked for one member'),
});

/** The environment of the API. */
export const apiConfigSchema = commonSchema.extend({
  PORT: portSchema.default(3000),
  HOST: z.string().default('0.0.0.0'),
  TIME_WINDOW_MS: countSchema.default(10 * 60 * 1_000),
  KEEP_ALIVE_MS: countSchema.default(75_000),
  SHUTDOWN_DELAY_MS: z.coerce.number().int().min(0).default(10_000),
  CODEC_ALLOWED_ORIGIN: z.url().describe('origin of the Temporal Web UI'),
  REQUESTS_PER_SECOND: countSchema.default(100),
  REQUEST_BURST: countSchema.default(500),
  CONCURRENT_REQUESTS: countSchema.default(10),
  WAITING_REQUESTS: countSchema.default(300),
  REQUESTS_IN_FLIGHT: countSchema.default(1_000),
  FAILURES_PER_MINUTE: countSchema.default(20),
  TRUSTED_PROXIES: z.coerce.number().int().min(0).max(10).default(0),
  ...policyConfigSchema.shape,
  DATABASE_URL: databaseUrl,
  CODEC_TOKENS: hashedTokensSchema.describe(
    'hashed bearer tokens with which payloads may be decoded, name=last day=SHA-256, …',
  ),
  OPERATOR_TOKENS: hashedTokensSchema.describe('hashed tokens of the operators, name=last day=SHA-256, …'),
  SECOND_PERSON_FOR: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((act) => act !== ''))
    .pipe(z.array(z.enum(secondPersonActs)))
    .describe(`what operators cannot do alone: ${secondPersonActs.join(', ')}`),
});

/** The environment of the worker. */
export const workerConfigSchema = commonSchema
  .extend({
    TEMPORAL_METRICS_PORT: portSchema.optional(),
    CONCURRENT_ACTIVITIES: countSchema.default(defaultSlots.activities),
    // The SDK needs two: one for cached runs, one for others.
    CONCURRENT_WORKFLOW_TASKS: countSchema.min(2).default(defaultSlots.workflowTasks),
    HEALTH_PORT: portSchema.optional(),
    HEALTH_HOST: z.string().default('0.0.0.0'),
    DATABASE_URL: databaseUrl,
    TEMPORAL_DEPLOYMENT_NAME: z.string().optional().describe('worker deployment this version belongs to'),
    TEMPORAL_BUILD_ID: z.string().optional().describe('version of this worker, such as the commit'),
  })
  .refine((config) => config.CONCURRENT_ACTIVITIES <= activitiesPerConnection * config.DATABASE_CONNECTIONS, {
    path: ['CONCURRENT_ACTIVITIES'],
    error: `At most ${activitiesPerConnection} times DATABASE_CONNECTIONS, because each uses the database`,
  })
  // Only one of the two would start a worker that gets no work.
  .refine(
    (config) => config.TEMPORAL_DEPLOYMENT_NAME === undefined || config.TEMPORAL_BUILD_ID !== undefined,
    {
      path: ['TEMPORAL_BUILD_ID'],
      error: 'Required beside TEMPORAL_DEPLOYMENT_NAME',
    },
  )
  .refine(
    (config) => config.TEMPORAL_BUILD_ID === undefined || config.TEMPORAL_DEPLOYMENT_NAME !== undefined,
    {
      path: ['TEMPORAL_DEPLOYMENT_NAME'],
      error: 'Required beside TEMPORAL_BUILD_ID',
    },
  );

/** The environment of the migrations. */
export const migrationConfigSchema = z.object({
  DATABASE_OWNER_URL: databaseUrl.describe('PostgreSQL, as the owner of the tables'),
  DATABASE_URL: databaseUrl,
});

/** The environment of `operator setup`. It looks at what is there. */
export const operatorSetupConfigSchema = commonSchema
  .pick({ PAYLOAD_KEYS: true, TEMPORAL_API_KEY: true })
  .extend({
    DATABASE_URL: databaseUrl.optional(),
    PG_BASE_URL: z.url().optional(),
    TEMPORAL_DEPLOYMENT_NAME: z.string().optional(),
    TEMPORAL_BUILD_ID: z.string().optional(),
  });

/** The environment of the operator's other commands. */
export const operatorDatabaseConfigSchema = commonSchema
  .pick({ PAYLOAD_KEYS: true, DATABASE_KEYS: true, TEMPORAL_API_KEY: true })
  .extend({
    ...policyConfigSchema.shape,
    DATABASE_URL: databaseUrl,
    CODEC_ALLOWED_ORIGIN: z.url().optional().describe('origin of the Temporal Web UI, for links'),
    OPERATOR_TOKEN: z.string().min(1).describe('your own token; create one: operator token'),
  });

/** The environment of the operator's commands that ask the payment gateway, beside that of the others. */
export const operatorPaymentGatewayConfigSchema = commonSchema.pick({
  PG_BASE_URL: true,
  PG_SHARED_SECRET: true,
  PG_CALLBACK_URL: true,
});

/** The configuration is invalid. The text lists every problem. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** The text of a ConfigurationError. @throws any other error, such as that of a system that does not answer */
export function problemOf(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  throw error;
}

/**
 * Reads a configuration from environment variables. An empty variable counts as absent. `NAME_FILE` names a file that
 * holds the value of `NAME`, for secrets that are mounted as files.
 * @throws {ConfigurationError} with all problems at once; it never shows values
 */
export function readConfig<Schema extends z.ZodObject>(
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): z.output<Schema> {
  const values = Object.keys(schema.shape).map((name) => {
    const file = environment[`${name}_FILE`];
    return [name, file ? readFile(file).trim() : environment[name] || undefined];
  });
  const result = schema.safeParse(Object.fromEntries(values));
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    const description = (schema.shape[name] as z.ZodType | undefined)?.description;
    return `  ${name}: ${message}${description ? ` (${description})` : ''}`;
  });
  throw new ConfigurationError(
    `The environment lacks what this process needs:\n${[...new Set(problems)].join('\n')}`,
  );
}

function requireKeys(text: string, context: z.RefinementCtx): void {
  try {
    void new KeyRing(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
}
