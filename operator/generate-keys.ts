import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createToken } from '../runtime/bearer-tokens.ts';
import type { PlainContext } from './command.ts';
import { createDirectory } from './new-directory.ts';
import type { OptionValues } from './options.ts';
import { readTokenHolder } from './token.ts';

/** How long tokens are valid without --until, in ms. */
const tokenLifetime = 90 * 86_400_000;

/** By who needs them: nobody else should have them. */
type KeysByRecipient = Readonly<
  Record<'service' | 'operator' | 'database', Readonly<Record<string, string>>>
>;

/** Makes all keys, secrets, tokens and passwords of a new deployment, as an env file on standard output or as files. */
export function generateKeys({
  directory,
  name = 'first-operator',
  until = dayAfterLifetime(),
}: OptionValues) {
  const holder = readTokenHolder({ name, until });
  return async ({ print, reportProgress }: PlainContext): Promise<void> => {
    const keys = createKeys(holder);
    if (directory === undefined) {
      for (const [recipient, values] of Object.entries(keys)) {
        print(`# ${recipient}`);
        for (const [setting, value] of Object.entries(values)) print(`${setting}=${value}`);
      }
      return;
    }
    await createDirectory(directory);
    for (const [recipient, values] of Object.entries(keys)) {
      await mkdir(join(directory, recipient), { mode: 0o700 });
      for (const [setting, value] of Object.entries(values)) {
        await writeFile(join(directory, recipient, setting), value, { mode: 0o600, flag: 'wx' });
      }
    }
    reportProgress(
      `The keys are in ${directory}. Keep a copy of ${join(directory, 'service')} apart from the backups: without it nothing can be decrypted.`,
    );
  };
}

function createKeys({ name, until }: ReturnType<typeof readTokenHolder>): KeysByRecipient {
  const operator = createToken(name, until);
  const codec = createToken(name, until);
  return {
    service: {
      DATABASE_KEYS: createKey(),
      PAYLOAD_KEYS: createKey(),
      PG_SHARED_SECRET: createSecret(),
      OPERATOR_TOKENS: operator.setting,
      CODEC_TOKENS: codec.setting,
    },
    operator: { OPERATOR_TOKEN: operator.token, CODEC_TOKEN: codec.token },
    // Part of URLs, so without special characters.
    database: {
      DATABASE_PASSWORD: createSecret(),
      DATABASE_OWNER_PASSWORD: createSecret(),
      TEMPORAL_DATABASE_PASSWORD: createSecret(),
    },
  };
}

/** The ID must never have been used before, so it is the day with something random. */
function createKey(): string {
  const id = `${new Date().toISOString().slice(0, 10)}-${randomBytes(2).toString('hex')}`;
  return `${id}:${randomBytes(32).toString('base64')}`;
}

function createSecret(): string {
  return randomBytes(32).toString('hex');
}

function dayAfterLifetime(): string {
  return new Date(Date.now() + tokenLifetime).toISOString().slice(0, 10);
}
