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
          'The recording is not there yet.',
          'RecordingNotReady' satisfies FailureType,
        );
      }
      const format = recordingFormat(recording);
      if (!format || recording.length > maxRecordingBytes)
        throw invalid(format ? 'is too large' : 'has no permitted format');
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

  /** What the payment gateway says, in ms: only a WAV recording tells by itself. */
  async function inquireDuration(call: { readonly reference: string; readonly attempt: number }) {
    const standing = await paymentGateway.inquireArsCall(call, deadline());
    return standing.state === 'ENDED' && standing.recordingSeconds !== undefined
      ? Math.round(standing.recordingSeconds * 1_000)
      : undefined;
  }
}

function invalid(trouble: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The recording ${trouble}.`,
    'RecordingInvalid' satisfies FailureType,
  );
}
