import { randomInt, randomUUID } from 'node:crypto';
import { and, eq, gt, isNull } from 'drizzle-orm';
import type { Queries } from './database.ts';
import type { Member } from './members.ts';
import { arsCodes } from './schema.ts';

/** How long a code is valid, in ms: ten minutes. */
const lifetime = 10 * 60 * 1_000;

/** The two-digit code that the member enters during the ARS call. */
export interface ArsCode {
  readonly arsCodeId: string;
  readonly authNumber: string;
}

/** Two random digits. */
export function createAuthNumber(): string {
  return String(randomInt(100)).padStart(2, '0');
}

/** The members' codes. */
export function createArsCodes(queries: Queries) {
  const context = (userId: string) => `ars-codes/${userId}`;

  return {
    /** Creates a code that is valid for ten minutes and replaces an earlier one. */
    async issue({ userId, cipher }: Member): Promise<ArsCode> {
      const code = { arsCodeId: randomUUID(), authNumber: createAuthNumber() };
      const row = {
        arsCodeId: code.arsCodeId,
        sealedCode: cipher.seal(Buffer.from(code.authNumber), context(userId)),
        expiresAt: new Date(Date.now() + lifetime),
        spentBy: null,
      };
      await queries
        .insert(arsCodes)
        .values({ userId, ...row })
        .onConflictDoUpdate({ target: arsCodes.userId, set: row });
      return code;
    },

    /** The member's code, if there is a valid unused one. */
    async findLive({ userId, cipher }: Member): Promise<ArsCode | undefined> {
      const [row] = await queries
        .select()
        .from(arsCodes)
        .where(
          and(eq(arsCodes.userId, userId), isNull(arsCodes.spentBy), gt(arsCodes.expiresAt, new Date())),
        );
      return (
        row && {
          arsCodeId: row.arsCodeId,
          authNumber: cipher.open(row.sealedCode, context(userId)).toString(),
        }
      );
    },
  };
}

/** Spends a code for a registration. Idempotent. */
export async function spendArsCode(
  queries: Queries,
  arsCodeId: string,
  registrationNumber: string,
): Promise<void> {
  await queries
    .update(arsCodes)
    .set({ spentBy: registrationNumber })
    .where(and(eq(arsCodes.arsCodeId, arsCodeId), isNull(arsCodes.spentBy)));
}
