import { consentScript } from '../contract/consent-scripts.ts';
import { maxRecordingBytes, recordingFormat } from '../contract/recording.ts';
import { openRecording } from './consent-evidence.ts';
import type { StoredRegistration } from './consent-evidence.ts';
import type { MemberCipher } from './member-cipher.ts';
import { alterationOf } from './registration-alteration.ts';
import { hadEvidence } from './milestones.ts';
import { detailsContext } from './registrations.ts';
import type { RowSealer } from './row-seals.ts';
import type { Stores } from './stores.ts';

/** The state of a registration's evidence; `problem`: what is wrong, without personal data. */
export type EvidenceFinding =
  | {
      readonly subject: string;
      /** ERASED: the member was erased. PURGED: the retention period has ended. */
      readonly state: 'VERIFIED' | 'ERASED' | 'PURGED';
    }
  /** `subject`: the registration number, or what else was altered, such as `member 10000001`. */
  | { readonly subject: string; readonly state: 'BROKEN'; readonly problem: string };

/**
 * Verifies every registration with its evidence of consent and everything that an auditor is shown, then the members,
 * projects and bank windows; or the registration `only` alone. It reads row by row in the order of the numbers, so its memory
 * use is constant. What is intact and has no evidence is left out.
 */
export async function* verifyEvidence(stores: Stores, only?: string): AsyncGenerator<EvidenceFinding> {
  const sealer = await stores.rowSeals.open();
  for await (const row of stores.consentEvidence.readAll(only)) {
    let finding = judge(stores, sealer, row);
    if (finding?.state === 'BROKEN') {
      // What was committed between two statements of the first look is no alteration.
      for await (const again of stores.consentEvidence.readAll(row.registration.registrationNumber))
        finding = judge(stores, sealer, again);
    }
    if (finding) yield finding;
  }
  if (only !== undefined) return;
  for await (const [subject, problem] of problemsBeside(stores, sealer)) {
    yield { subject, state: 'BROKEN', problem };
  }
}

async function* problemsBeside(
  { members, projects, policies, bankWindows }: Stores,
  sealer: RowSealer,
): AsyncGenerator<readonly [subject: string, problem: string]> {
  for await (const [userId, problem] of members.findProblems(sealer)) yield [`member ${userId}`, problem];
  for (const [aspId, problem] of await projects.findProblems()) yield [`project ${aspId}`, problem];
  for (const policyId of await policies.findAltered()) yield [`policy ${policyId}`, 'it was altered'];
  for (const bankWindowId of await bankWindows.findAltered(sealer))
    yield [`bank window ${bankWindowId}`, 'it was altered'];
}

/** @returns undefined when it is intact and has no evidence */
function judge(stores: Stores, sealer: RowSealer, row: StoredRegistration): EvidenceFinding | undefined {
  const subject = row.registration.registrationNumber;
  const problem = problemOf(sealer, row) ?? problemOfEvidence(stores, row) ?? problemOfCall(row);
  if (problem !== undefined) return { subject, state: 'BROKEN', problem };
  const { registration, evidence, member } = row;
  if (registration.withdrawnAt) return undefined;
  if (registration.purgedAt) return { subject, state: 'PURGED' };
  if (!evidence) return undefined;
  return { subject, state: member!.erasedAt ? 'ERASED' : 'VERIFIED' };
}

/** What is wrong about everything but the evidence. */
function problemOf(sealer: RowSealer, row: StoredRegistration): string | undefined {
  const { registration, evidence, member, notification } = row;
  const { notificationSequence, userId } = registration;
  const alteration = alterationOf(sealer, row);
  if (alteration !== undefined) return alteration;
  if (!member) return 'its member is gone';
  if (!sealer.isAuthentic('members', member)) return 'its member was altered';
  if (row.aspId === null) return 'its service provider is gone';
  if (row.policyId === null) return 'its policy is gone';
  if (evidence && !sealer.isAuthentic('consentEvidence', evidence))
    return 'the stored record of its recording was altered';
  if (
    (notification?.sequence ?? null) !== notificationSequence ||
    (notification?.userId ?? userId) !== userId
  )
    return 'the notification of its result was altered or is gone';
  return undefined;
}

function problemOfEvidence({ members }: Stores, row: StoredRegistration): string | undefined {
  const { registration, evidence, member, key, account, holds, keptUntil } = row;
  const { purgedAt, withdrawnAt, sealedDetails, status } = registration;
  const isHeld = holds.some(({ releasedAt }) => releasedAt === null);
  const isNeeded = hadEvidence(registration) || status === 'BANK_ACC_REGISTERED';
  if (purgedAt && !evidence) {
    const isDue = keptUntil !== null && keptUntil <= purgedAt && purgedAt.getTime() <= Date.now();
    if (isHeld) return 'it was purged under a legal hold';
    if (!isDue && !withdrawnAt) return 'it was purged before the end of its retention period';
    return sealedDetails ? 'its personal part was not purged' : undefined;
  }
  if (!evidence && isNeeded) return 'no evidence is stored';
  if (member!.erasedAt && !key) {
    const isInUse = account !== undefined && account.state !== 'REMOVED';
    if (isInUse || isHeld)
      return 'its member was erased while an account was in use or a legal hold in force';
    return sealedDetails || evidence?.sealedRecording || evidence?.sha256
      ? 'its member was erased, but not its data'
      : undefined;
  }
  if (member!.erasedAt) return "its member is marked erased, but the member's key is still there";
  return problemOfContent(row, () => members.openCipher(key, registration));
}

function problemOfCall({ registration: { passedCall }, evidence }: StoredRegistration): string | undefined {
  const isOfIt = evidence?.callId === passedCall?.callId && evidence?.attempt === passedCall?.attempt;
  return evidence && !isOfIt
    ? 'its recording is that of another call than the one that the member passed'
    : undefined;
}

function problemOfContent(
  { registration, evidence }: StoredRegistration,
  openCipher: () => MemberCipher,
): string | undefined {
  const { registrationNumber, sealedDetails } = registration;
  let cipher: MemberCipher;
  try {
    cipher = openCipher();
  } catch (error) {
    return `the member's key does not open (${messageOf(error)})`;
  }
  if (sealedDetails === null) return 'the personal part of the registration is gone';
  try {
    cipher.open(sealedDetails, detailsContext(registrationNumber));
  } catch (error) {
    return `the personal part of the registration was altered (${messageOf(error)})`;
  }
  if (!evidence) return undefined;
  let recording: Buffer;
  try {
    recording = openRecording(cipher, evidence);
  } catch (error) {
    return `the recording or its stored record was altered (${messageOf(error)})`;
  }
  if (recording.length !== evidence.bytes) return 'its size is not the stored one';
  if (recording.length > maxRecordingBytes) return 'it is larger than evidence may be';
  if (recordingFormat(recording) !== evidence.format) return 'its type is not the stored one';
  if (consentScript(evidence.scriptVersion) === undefined) return 'the text of its script is not known';
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
