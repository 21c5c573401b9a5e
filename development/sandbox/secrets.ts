import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { sandboxMark } from '../../composition/weak-secrets.ts';
import { errorCode } from '../../runtime/error-code.ts';

const keyRing = z.string().regex(new RegExp(`^${sandboxMark}:[A-Za-z0-9+/]{43}=$`));

const sandboxSecrets = z.object({
  /** Key ring for Temporal payloads: `sandbox:<base64 of 32 bytes>`. */
  PAYLOAD_KEYS: keyRing,
  /** Key ring for personal data in the database: `sandbox:<base64 of 32 bytes>`. */
  DATABASE_KEYS: keyRing,
  /** Shared with the payment gateway simulator: `sandbox-<64 hexadecimal digits>`. */
  PG_SHARED_SECRET: z.string().regex(new RegExp(`^${sandboxMark}-[0-9a-f]{64}$`)),
});

/** The secrets of one data directory, named after the environment variables that pass them. */
export type SandboxSecrets = z.infer<typeof sandboxSecrets>;

/**
 * The secrets of a data directory, created on first use and stored in `secrets.json` (mode 0600). The caller must hold
 * the directory's lock.
 *
 * @throws {Error} if the file is damaged: new keys could not decrypt the stored data
 */
export function loadOrCreateSecrets(dataDirectory: string): SandboxSecrets {
  const file = join(dataDirectory, 'secrets.json');
  const stored = readIfPresent(file);
  if (stored === undefined) return createSecrets(file);
  chmodSync(file, 0o600);
  const parsed = sandboxSecrets.safeParse(parseJson(stored));
  if (!parsed.success) {
    throw new Error(
      `${file} is damaged. Without its keys the stored data cannot be decrypted. ` +
        'Restore the file, or delete the whole data directory to start from scratch.',
    );
  }
  return parsed.data;
}

function createSecrets(file: string): SandboxSecrets {
  const secrets: SandboxSecrets = {
    PAYLOAD_KEYS: createKeyRing(),
    DATABASE_KEYS: createKeyRing(),
    PG_SHARED_SECRET: `${sandboxMark}-${randomBytes(32).toString('hex')}`,
  };
  const draft = `${file}.draft`;
  writeFileSync(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(draft, file);
  return secrets;
}

function createKeyRing(): string {
  return `${sandboxMark}:${randomBytes(32).toString('base64')}`;
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
