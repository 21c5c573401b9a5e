import { consentScript } from '../contract/consent-scripts.ts';
import { openRecording } from './consent-evidence.ts';
import type { StoredEvidence } from './consent-evidence.ts';
import type { MemberCipher } from './member-cipher.ts';
import { detailsContext } from './registrations.ts';
import type { Stores } from './stores.ts';
import { maxRecordingBytes, recordingFormat } from '../contract/recording.ts';

/** The state of a registration's evidence; `problem`: what is wrong, without personal data. */
export type EvidenceFinding =
  | {
      readonly registrationNumber: string;
      /** ERASED: the member was erased. PURGED: the retention period has ended. */
      readonly state: 'VERIFIED' | 'ERASED' | 'PURGED';
    }
  | { readonly registrationNumber: string; readonly state: 'BROKEN'; readonly problem: string };

/**
 * Verifies the evidence of consent of every registration that has some or must have some, or that of `only` alone. It
 * reads row by row in the order of the numbers, so its memory use is constant.
 */
export async function* verifyEvidence(
  { consentEvidence, members }: Pick<Stores, 'consentEvidence' | 'members'>,
  only?: string,
): AsyncGenerator<EvidenceFinding> {
  for await (const row of consentEvidence.readAll(only)) {
    const { registration, evidence, member, key, keptUntil, isHeld, hasLiveAccount } = row;
    const { registrationNumber, purgedAt } = registration;
    const broken = (problem: string) => ({ registrationNumber, state: 'BROKEN', problem }) as const;
    if (purgedAt && !evidence) {
      const isDue = keptUntil !== null && keptUntil <= purgedAt && purgedAt.getTime() <= Date.now();
      if (isHeld) yield broken('it was purged under a legal hold');
      else if (isDue) yield { registrationNumber, state: 'PURGED' };
      else yield broken('it was purged before the end of its retention period');
    } else if (!evidence) {
      yield broken('no evidence is stored');
    } else if (member.erasedAt && !key) {
      yield hasLiveAccount || isHeld
        ? broken('its member was erased while an account was in use or a legal hold in force')
        : { registrationNumber, state: 'ERASED' };
    } else if (member.erasedAt) {
      yield broken("its member is marked erased, but the member's key is still there");
    } else {
      const problem = problemOf(evidence, registration.sealedDetails, () =>
        members.openCipher(key, registration),
      );
      if (problem !== undefined) yield broken(problem);
      else yield { registrationNumber, state: 'VERIFIED' };
    }
  }
}

function problemOf(
  evidence: StoredEvidence,
  sealedDetails: Buffer | null,
  openCipher: () => MemberCipher,
): string | undefined {
  let cipher: MemberCipher;
  try {
    cipher = openCipher();
  } catch (error) {
    return `the member's key does not open (${messageOf(error)})`;
  }
  if (sealedDetails === null) return 'the personal part of the registration is gone';
  try {
    cipher.open(sealedDetails, detailsContext(evidence.registrationNumber));
  } catch (error) {
    return `the personal part of the registration was altered (${messageOf(error)})`;
  }
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
