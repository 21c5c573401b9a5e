import { ApplicationFailure } from '@temporalio/activity';
import type { Activities, FailureType } from '../contract/activities.ts';
import { currentConsentScript } from '../contract/consent-scripts.ts';
import { fetchAcceptedRecording, UnacceptableRecording } from '../payment-gateway/recording.ts';
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
    storeConsentEvidence: step(['CONSENT_EVIDENCE'], limit, async ({ registrationNumber, record, open }) => {
      // Which call passed is the word of the sealed row, neither the run's nor that of the ledger of effects.
      const { attempt, callId } = record.passedCall!;
      const recording = await fetchRecording({ reference: registrationNumber, attempt, callId });
      await stores.consentEvidence.store(open().member.cipher, {
        registrationNumber,
        attempt,
        callId,
        scriptVersion: currentConsentScript,
        ...recording,
      });
      return await stores.ledger.recordEvidence(registrationNumber);
    }),
  };

  async function fetchRecording(call: Parameters<typeof fetchAcceptedRecording>[1]) {
    const recording = await fetchAcceptedRecording(paymentGateway, call, deadline()).catch(
      (error: unknown) => {
        if (!(error instanceof UnacceptableRecording)) throw error;
        throw ApplicationFailure.nonRetryable(error.message, 'RecordingInvalid' satisfies FailureType);
      },
    );
    if (recording) return recording;
    throw ApplicationFailure.retryable(
      'The recording does not exist yet.',
      'RecordingNotReady' satisfies FailureType,
    );
  }
}
