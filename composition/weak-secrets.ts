import { createHash } from 'node:crypto';
import type { HashedToken } from '../runtime/bearer-tokens.ts';

/** Secrets of one purpose, each as its setting holds it and as the bytes that an attacker has to guess. */
interface NamedSecret {
  /** The setting. */
  readonly name: string;
  readonly kind: 'key' | 'secret' | 'token';
  readonly text: string;
}

/** The settings that hold secrets, by the names of their environment variables. */
export interface SecretSettings {
  readonly DATABASE_KEYS: string;
  readonly PAYLOAD_KEYS: string;
  readonly PG_SHARED_SECRET: string;
  readonly CODEC_TOKENS?: readonly HashedToken[];
  readonly OPERATOR_TOKENS?: readonly HashedToken[];
}

/** The prefix of the key IDs and secrets that a sandbox creates, so that production recognises them. */
export const sandboxMark = 'sandbox';

/** Minimum length of secrets in production, in characters. */
const minSecretLength = 32;

/** Random values nearly always have more different bytes or characters: 1 key in 10^9 has not, and 1 secret in 10^7. */
const minDifferent = { key: 17, secret: 8 } as const;

const commonWords =
  /admin|api|change|database|default|demo|example|from|here|key|konaplate|letmein|me|passw(or)?d|please|production|qwerty|replace|sample|secret|service|shared|test|this|token|welcome|with|your/gi;

const remedies = {
  key: 'Make a new one: openssl rand -base64 32',
  secret: 'Make a new one: openssl rand -hex 32',
} as const;

/** What is wrong with the secrets, each with its remedy. It never shows values. */
export function findWeakSecrets(settings: SecretSettings): string[] {
  const secrets: (NamedSecret & { readonly kind: 'key' | 'secret' })[] = [
    ...(['DATABASE_KEYS', 'PAYLOAD_KEYS'] as const).flatMap((name) =>
      settings[name].split(',').map((text) => ({ name, kind: 'key' as const, text: text.trim() })),
    ),
    ...settings.PG_SHARED_SECRET.split(',').map((text) => ({
      name: 'PG_SHARED_SECRET',
      kind: 'secret' as const,
      text,
    })),
  ];
  // Only their hashes are known: whether one token serves twice, but not what it is.
  const tokens = (['CODEC_TOKENS', 'OPERATOR_TOKENS'] as const).flatMap((name) =>
    (settings[name] ?? []).map(({ sha256 }) => ({ name, kind: 'token' as const, text: sha256 })),
  );
  const reasons = secrets.map(({ name, kind, text }) => {
    if (text.startsWith(sandboxMark)) return `${name}: a ${kind} was made by a sandbox. ${remedies[kind]}`;
    const weakness = kind === 'key' ? weaknessOfKey(text) : weaknessOfSecret(text);
    return weakness && `${name}: a ${kind} ${weakness}. ${remedies[kind]}`;
  });
  return [...reasons.filter((reason) => reason !== undefined), ...findReused([...secrets, ...tokens])];
}

function weaknessOfKey(text: string): string | undefined {
  const bytes = Buffer.from(encodedKey(text), 'base64').toString('latin1');
  if (/^[\x20-\x7e]*$/.test(bytes)) return 'is text, not random bytes';
  return weaknessOf(bytes, minDifferent.key);
}

function weaknessOfSecret(text: string): string | undefined {
  if (text.length < minSecretLength) return `has fewer than ${minSecretLength} characters`;
  const rest = text.replace(commonWords, '');
  return rest.length < text.length / 2 ? 'consists of common words' : weaknessOf(rest, minDifferent.secret);
}

/** Why a value is no random one. It may be guessable all the same: only whoever made it knows. */
function weaknessOf(text: string, minimum: number): string | undefined {
  if (new Set(text).size < minimum) return `has fewer than ${minimum} different characters`;
  if (repeatsItself(text)) return 'repeats itself';
  return isSequence(text) ? 'is a sequence' : undefined;
}

function repeatsItself(text: string): boolean {
  const periods = Array.from({ length: Math.floor(text.length / 2) }, (_, index) => index + 1);
  return periods.some((period) => text.startsWith(text.slice(period)));
}

/** Whether more than half of the steps from one character to the next are the same, as in `abcdef`. */
function isSequence(text: string): boolean {
  const steps = new Map<number, number>();
  for (let index = 1; index < text.length; index++) {
    const step = text.charCodeAt(index) - text.charCodeAt(index - 1);
    steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  return Math.max(...steps.values()) > (text.length - 1) / 2;
}

/** The secrets that serve twice: one purpose then gives away the other. */
function findReused(secrets: readonly NamedSecret[]): string[] {
  return secrets.flatMap(({ name, kind, text }, index) => {
    const earlier = secrets
      .slice(0, index)
      .find((other) => comparable(other) === comparable({ name, kind, text }));
    return earlier
      ? [`${name}: a ${kind} is also one of ${earlier.name}. Give each purpose a value of its own`]
      : [];
  });
}

/** Of a token only its SHA-256 is known. */
function comparable({ kind, text }: NamedSecret): string {
  if (kind === 'token') return text;
  const value = kind === 'key' ? Buffer.from(encodedKey(text), 'base64').toString('base64') : text;
  return createHash('sha256').update(value).digest('hex');
}

/** The part of `id:base64` behind the ID. */
function encodedKey(text: string): string {
  return text.slice(text.indexOf(':') + 1);
}
