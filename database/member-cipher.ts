import { randomBytes } from 'node:crypto';
import { openWith, sealWith } from '../encryption/key-ring.ts';
import type { KeyRing } from '../encryption/key-ring.ts';

/** Whose data it is. Authenticated with each sealed value, so that no value can be given to somebody else. */
export interface Owner {
  readonly aspId: string;
  readonly userId: string;
}

/** A member's data key as the database holds it. */
export interface SealedDataKey extends Owner {
  readonly databaseKeyId: string;
  readonly sealedDataKey: Buffer;
}

/**
 * Seals and opens what belongs to one member. `context` names the place among the member's values, so that a value cannot be
 * moved to another.
 */
export interface MemberCipher {
  seal(plain: Uint8Array, context: string): Buffer;
  open(sealed: Uint8Array, context: string): Buffer;
  sealJson(value: unknown, context: string): Buffer;
  openJson<Value>(sealed: Uint8Array, context: string): Value;
}

/**
 * Decrypts a member's data key. Throws unless it is the key of that very member of that service provider. Envelope encryption: each member's data is encrypted with the member's own key.
 * Destroying that key erases the member, and rotating a database key re-encrypts only the members' keys.
 */
export function openMemberCipher(keys: KeyRing, member: SealedDataKey): MemberCipher {
  const dataKey = keys.open(member.databaseKeyId, member.sealedDataKey, dataKeyContext(member));
  const place = placeOf(member);
  const seal: MemberCipher['seal'] = (plain, context) => sealWith(dataKey, plain, `${place}/${context}`);
  const open: MemberCipher['open'] = (sealed, context) => openWith(dataKey, sealed, `${place}/${context}`);
  return {
    seal,
    open,
    sealJson: (value, context) => seal(Buffer.from(JSON.stringify(value)), context),
    openJson: <Value>(sealed: Uint8Array, context: string) =>
      JSON.parse(open(sealed, context).toString()) as Value,
  };
}

/** Makes a data key for a new member, sealed by the active database key. */
export function createDataKey(keys: KeyRing, { aspId, userId }: Owner): SealedDataKey {
  return {
    aspId,
    userId,
    databaseKeyId: keys.activeKeyId,
    sealedDataKey: keys.seal(randomBytes(32), dataKeyContext({ aspId, userId })),
  };
}

/** The place of a member's data key. */
export function dataKeyContext(owner: Owner): string {
  return `${placeOf(owner)}/data-key`;
}

function placeOf({ aspId, userId }: Owner): string {
  return `projects/${aspId}/members/${userId}`;
}
