import { UsageError } from '../command-line/command-line.ts';
import { createToken, holderPattern, serviceName } from '../runtime/bearer-tokens.ts';
import type { PlainContext } from './command.ts';
import type { OptionValues } from './options.ts';

/** Creates a person's token. It is kept nowhere: whoever deploys adds its hash to the settings. */
export function createOperatorToken(values: OptionValues) {
  const { name, until } = readTokenHolder(values);
  return async ({ print, reportProgress }: PlainContext): Promise<void> => {
    const { token, setting } = createToken(name, until);
    reportProgress(`For ${name} alone, as OPERATOR_TOKEN or as bearer token:`);
    print(token);
    reportProgress('To be added to OPERATOR_TOKENS or CODEC_TOKENS, after a comma:');
    print(setting);
  };
}

/** Reads --name and --until of a token. @throws {UsageError} for an invalid one */
export function readTokenHolder({ name = '', until = '' }: OptionValues): { name: string; until: string } {
  if (!holderPattern.test(name) || name === serviceName)
    throw new UsageError(`--name must be letters, digits, and . _ -, and not ${serviceName}.`);
  if (!/^\d{4}-\d\d-\d\d$/.test(until) || Number.isNaN(Date.parse(until)))
    throw new UsageError(
      '--until must be a day, such as 2027-03-31; the token is valid until its end in UTC.',
    );
  return { name, until };
}
