import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** A person's bearer token, by its hash. The token has 256 random bits, so no slow hash is needed. */
export interface HashedToken {
  /** Who it was issued to. */
  readonly holder: string;
  /** The last day on which it is valid, `yyyy-MM-dd` in UTC. */
  readonly lastDay: string;
  /** SHA-256 in lower-case hex. */
  readonly sha256: string;
}

/** The name that is nobody's: of what the service does by itself. */
export const serviceName = 'service';

/** A name in a token and in the audit trail. */
export const holderPattern = /^[\p{L}\d][\p{L}\d._-]{0,63}$/u;

const tokenSchema = z
  .string()
  .trim()
  .transform((text) => text.split('='))
  .pipe(z.tuple([z.string(), z.iso.date(), z.string().regex(/^[0-9a-f]{64}$/)]))
  .transform(([holder, lastDay, sha256]): HashedToken => ({ holder, lastDay, sha256 }))
  .refine(({ holder }) => holderPattern.test(holder) && holder !== serviceName);

/** Tokens as a setting: `name=last day=SHA-256`, separated by commas. */
export const hashedTokensSchema = z.string().transform((text, context): readonly HashedToken[] => {
  const parsed = z.array(tokenSchema).safeParse(text.split(','));
  if (parsed.success) return parsed.data;
  context.addIssue({ code: 'custom', message: 'Invalid tokens' });
  return z.NEVER;
});

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Creates a token, and its line for a setting. It can be read nowhere later. */
export function createToken(holder: string, lastDay: string): { token: string; setting: string } {
  const token = randomBytes(32).toString('base64url');
  return { token, setting: [holder, lastDay, hashOf(token).toString('hex')].join('=') };
}

/** Who holds a token that is valid at `now`; undefined for any other. */
export function findHolder(
  tokens: readonly HashedToken[],
  token: string,
  now: Date = new Date(),
): string | undefined {
  const hash = hashOf(token);
  const today = now.toISOString().slice(0, 10);
  return tokens.find(
    ({ sha256, lastDay }) => timingSafeEqual(Buffer.from(sha256, 'hex'), hash) && today <= lastDay,
  )?.holder;
}
