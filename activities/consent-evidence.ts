import { ApplicationFailure } from '@temporalio/activity';
import type { Activities, FailureType } from '../contract/activities.ts';
import { maxRecordingBytes, recordingDuration, recordingFormat } from '../contract/recording.ts';
import { scriptVersion } from './ars-call.ts';
import { codes } from '../wire/result-codes.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createSteps } from './registration-step.ts';
import type { LoadedRegistration } from './registration-step.ts';

/** The evidence of consent. */
export function consentEvidenceActivities(
  dependencies: ActivityDependencies,
): Pick<Activities, 'storeConsentEvidence'> {
  const { stores, paymentGateway } = dependencies;
  const step = createSteps(dependencies);
  const limit = {
    giveUpAfter: ({ consentEvidence }: LoadedRegistration['policy']) => consentEvidence.giveUpAfter,
    resultCode: codes.EVIDENCE_NOT_SECURED,
  };

  return {
    storeConsentEvidence: step(['CONSENT_EVIDENCE'], limit, async ({ registrationNumber, open }) => {
      // Which call passed is the ledger's word, not the run's.
      const call = await stores.ledger.find(registrationNumber, 'ARS_CALL', 'DONE');
      if (!call?.callId) throw new Error(`Registration ${registrationNumber} has no passed ARS call.`);
      const { attempt, callId } = call;
      const { recording, format, durationMs } = await fetchRecording(registrationNumber, attempt, callId);
      await stores.consentEvidence.store(open().member.cipher, {
        registrationNumber,
        attempt,
        callId,
        scriptVersion,
        format,
        durationMs,
        recording,
      });
      return await stores.ledger.recordEvidence(registrationNumber);
    }),
  };

  async function fetchRecording(reference: string, attempt: number, callId: string) {
    const recording = await paymentGateway.fetchRecording(callId, deadline());
    if (!recording) {
      throw ApplicationFailure.retryable(
        'The recording does not exist yet.',
        'RecordingNotReady' satisfies FailureType,
      );
    }
    const format = recordingFormat(recording);
    if (!format) throw invalid('has no permitted format');
    if (recording.length > maxRecordingBytes) throw invalid('is too large');
    const durationMs = recordingDuration(recording) ?? (await inquireDuration({ reference, attempt }));
    if (!durationMs) throw invalid('has no known duration');
    return { recording, format, durationMs };
  }

  /** The payment gateway's figure, in ms: only of a WAV recording can the duration be measured. */
  async function inquireDuration(call: { readonly reference: string; readonly attempt: number }) {
    const answer = await paymentGateway.inquireArsCall(call, deadline());
    return answer.state === 'ENDED' && answer.recordingSeconds !== undefined
      ? Math.round(answer.recordingSeconds * 1_000)
      : undefined;
  }
}

function invalid(problem: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The recording ${problem}.`,
    'RecordingInvalid' satisfies FailureType,
  );
}
