import { z } from 'zod';

const environment = z.object({
  PG_SIMULATOR_PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number')
    .default('3001')
    .transform(Number)
    .refine((port) => port <= 65_535, 'must be a port number'),
  PG_SIMULATOR_DATA_DIR: z.string('must be set to a directory').min(1, 'must be set to a directory'),
  PG_SHARED_SECRET: z.string('must be set').refine(areSecrets, 'must have at least 16 characters each'),
  HOST: z.string().min(1, 'must not be empty').default('127.0.0.1'),
});

/** Secrets separated by commas, each of 16 characters or more. */
function areSecrets(list: string): boolean {
  return list.split(',').every((secret) => secret.length >= 16);
}

/** The simulator's settings, read from the environment. */
export interface Settings {
  port: number;
  host: string;
  dataDirectory: string;
  sharedSecret: string;
}

/**
 * Reads the settings. Throws one error that names every invalid variable and repeats no value. Refuses production,
 * because anyone who can reach a simulator can read and end calls.
 */
export function readSimulatorSettings(variables: Record<string, string | undefined>): Settings {
  if (variables['NODE_ENV'] === 'production') {
    throw new Error('The simulator does not start in production (NODE_ENV): use a payment gateway.');
  }
  const parsed = environment.safeParse(variables);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')} ${issue.message}`);
    throw new Error(`The simulator cannot start because of its environment:\n${problems.join('\n')}`);
  }
  return {
    port: parsed.data.PG_SIMULATOR_PORT,
    host: parsed.data.HOST,
    dataDirectory: parsed.data.PG_SIMULATOR_DATA_DIR,
    sharedSecret: parsed.data.PG_SHARED_SECRET,
  };
}
