import { randomInt, randomUUID } from 'node:crypto';
import { and, eq, gt, isNotNull, isNull, lte, or } from 'drizzle-orm';
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

  /** The member's code, if there is a valid unused one. */
  async function findLive({ userId, cipher }: Member): Promise<ArsCode | undefined> {
    const [row] = await queries
      .select()
      .from(arsCodes)
      .where(and(eq(arsCodes.userId, userId), isNull(arsCodes.spentBy), gt(arsCodes.expiresAt, new Date())));
    return (
      row && {
        arsCodeId: row.arsCodeId,
        authNumber: cipher.open(row.sealedCode, context(userId)).toString(),
      }
    );
  }

  return {
    findLive,

    /**
     * The member's valid unused code, or a new one that is valid for ten minutes. A repeated or copied request does not
     * replace the code that the member sees.
     */
    async issue(member: Member): Promise<ArsCode> {
      const { userId, cipher } = member;
      for (;;) {
        const code = { arsCodeId: randomUUID(), authNumber: createAuthNumber() };
        const row = {
          arsCodeId: code.arsCodeId,
          sealedCode: cipher.seal(Buffer.from(code.authNumber), context(userId)),
          expiresAt: new Date(Date.now() + lifetime),
          spentBy: null,
        };
        const issued = await queries
          .insert(arsCodes)
          .values({ userId, ...row })
          .onConflictDoUpdate({
            target: arsCodes.userId,
            set: row,
            setWhere: or(isNotNull(arsCodes.spentBy), lte(arsCodes.expiresAt, new Date()))!,
          })
          .returning({ arsCodeId: arsCodes.arsCodeId });
        if (issued.length > 0) return code;
        const live = await findLive(member);
        // Otherwise it was used or has expired meanwhile.
        if (live) return live;
      }
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
