import { z } from 'zod';
import type { RunningSandbox } from '../command-line/running-sandbox.ts';

const outcomeSchema = z.object({
  exitCode: z.number(),
  lines: z.array(z.object({ text: z.string(), isError: z.boolean() })),
});

/** Whether an environment names neither a database nor keys, so that a command can only mean a sandbox. */
export function meansSandbox(environment: NodeJS.ProcessEnv): boolean {
  const names = ['DATABASE_URL', 'DATABASE_KEYS', 'PAYLOAD_KEYS'];
  const isSet = (name: string) => environment[name] || environment[`${name}_FILE`];
  return environment['NODE_ENV'] !== 'production' && !names.some(isSet);
}

/**
 * Has a running sandbox carry out an operator's command line: only its service can open its database.
 * @returns the exit code
 */
export async function runInSandbox(
  words: readonly string[],
  { url, operatorToken }: RunningSandbox,
): Promise<number> {
  process.stderr.write(`In the sandbox at ${url}:\n`);
  const answer = await fetch(`${url}/sandbox/operator`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operatorToken}` },
    body: JSON.stringify({ words }),
  });
  const { exitCode, lines } = outcomeSchema.parse(await answer.json());
  for (const { text, isError } of lines) (isError ? process.stderr : process.stdout).write(`${text}\n`);
  return exitCode;
}
