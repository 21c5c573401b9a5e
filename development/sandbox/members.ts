import { createHash } from 'node:crypto';
import type { MemberFacts } from '../../database/members.ts';

/** A fictitious member. */
export interface SandboxMember extends MemberFacts {
  readonly userId: string;
}

const surnames = ['김', '이', '박', '최', '정', '강', '조', '윤', '장', '임'];
const firstSyllables = ['하', '서', '도', '지', '예', '민', '수', '은', '현', '다'];
const secondSyllables = ['늘', '준', '윤', '우', '린', '아', '호', '율', '빈', '온'];

/**
 * Generates the member with this ID, always the same one. The mobile number ends in 1000 to 8999, for which the
 * simulator's ARS call passes.
 */
export function inventMember(userId: string): SandboxMember {
  const random = createHash('sha256').update(userId).digest();
  const pick = (position: number, count: number) => random.readUInt16BE(position * 2) % count;
  const birth = new Date(Date.UTC(1950 + pick(3, 55), pick(4, 12), 1 + pick(5, 28)));
  return {
    userId,
    userName: surnames[pick(0, 10)]! + firstSyllables[pick(1, 10)]! + secondSyllables[pick(2, 10)]!,
    birthDate: birth.toISOString().slice(0, 10).replaceAll('-', ''),
    mobileNumber: `010${String(pick(6, 10_000)).padStart(4, '0')}${1_000 + pick(7, 8_000)}`,
  };
}

/** Generates members with consecutive IDs from `firstUserId`. */
export function inventMembers(firstUserId: bigint, count: number): SandboxMember[] {
  return Array.from({ length: count }, (_, offset) => inventMember(String(firstUserId + BigInt(offset))));
}
