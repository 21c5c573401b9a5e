import { ApplicationFailure } from '@temporalio/activity';
import type { Activities, FailureType } from '../contract/activities.ts';
import { scriptVersion } from './ars-call.ts';
import { deadline } from './deadline.ts';
import type { Ports } from './ports.ts';
import { recordingFormat } from './recording-format.ts';

/** The largest recording the payment gateways accept as evidence, in bytes: 300 kB. */
const maximumBytes = 307_200;

/** The evidence of consent. */
export function consentEvidenceActivities({
  stores,
  paymentGateway,
}: Ports): Pick<Activities, 'storeConsentEvidence'> {
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
      if (!format || recording.length > maximumBytes)
        throw invalid(format ? 'is too large' : 'has no permitted format');
      const { member } = await stores.registrations.open(registrationNumber);
      await stores.consentEvidence.store(member.cipher, {
        registrationNumber,
        attempt,
        callId,
        scriptVersion,
        format,
        recording,
      });
      await stores.registrations.markArsDone(registrationNumber);
    },
  };
}

function invalid(trouble: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The recording ${trouble}.`,
    'RecordingInvalid' satisfies FailureType,
  );
}
