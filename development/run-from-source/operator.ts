import { z } from 'zod';
import { findRunningSandbox } from '../../command-line/running-sandbox.ts';
import type { RunningSandbox } from '../../command-line/running-sandbox.ts';
import { runOperator } from '../../operator/run-operator.ts';

const outcomeSchema = z.object({
  exitCode: z.number(),
  lines: z.array(z.object({ text: z.string(), isError: z.boolean() })),
});

// `npm run operator`: in the service that the environment names, or else in a running sandbox.
const commandLine = process.argv.slice(2);
const sandbox = meansSandbox(process.env) ? await findRunningSandbox(process.env) : undefined;
process.exitCode = sandbox
  ? await runInSandbox(commandLine, sandbox)
  : await runOperator(commandLine, process.env);

/** Whether an environment names neither a database nor keys, so that a command can only mean a sandbox. */
function meansSandbox(environment: NodeJS.ProcessEnv): boolean {
  const names = ['DATABASE_URL', 'DATABASE_KEYS', 'PAYLOAD_KEYS'];
  const isSet = (name: string) => environment[name] || environment[`${name}_FILE`];
  return environment['NODE_ENV'] !== 'production' && !names.some(isSet);
}

/**
 * Has a running sandbox carry out an operator's command line: only its service can open its database.
 * @returns the exit code
 */
async function runInSandbox(
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
