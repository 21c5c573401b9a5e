import { ApplicationFailure } from '@temporalio/activity';
import type { Activities, FailureType } from '../contract/activities.ts';
import { maxRecordingBytes, recordingDuration, recordingFormat } from '../contract/recording.ts';
import { scriptVersion } from './ars-call.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** The evidence of consent. */
export function consentEvidenceActivities({
  stores,
  paymentGateway,
}: ActivityDependencies): Pick<Activities, 'storeConsentEvidence'> {
  return {
    async storeConsentEvidence({ registrationNumber, attempt, callId }) {
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
      const durationMs =
        recordingDuration(recording) ?? (await inquireDuration({ reference: registrationNumber, attempt }));
      if (!durationMs) throw invalid('has no known duration');
      const { member } = await stores.registrations.open(registrationNumber);
      await stores.consentEvidence.store(member.cipher, {
        registrationNumber,
        attempt,
        callId,
        scriptVersion,
        format,
        durationMs,
        recording,
      });
      await stores.registrations.markArsDone(registrationNumber);
    },
  };

  /** The payment gateway's figure, in ms. Only the duration of a WAV recording can be measured. */
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
