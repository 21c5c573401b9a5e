import { maxRecordingBytes, recordingDuration, recordingFormat } from '../contract/recording.ts';
import type { RecordingFormat } from '../contract/recording.ts';
import type { PaymentGateway } from './payment-gateway.ts';

/** A recording that is accepted as evidence of consent. */
export interface AcceptedRecording {
  readonly recording: Buffer;
  readonly format: RecordingFormat;
  readonly durationMs: number;
}

/** A recording is not accepted as evidence: wrong format, too large, or of unknown duration. */
export class UnacceptableRecording extends Error {
  override readonly name = 'UnacceptableRecording';
}

/**
 * Fetches and checks the recording of a passed call. `reference`: its registration number.
 * @returns undefined while there is none
 * @throws {UnacceptableRecording}
 */
export async function fetchAcceptedRecording(
  paymentGateway: Pick<PaymentGateway, 'fetchRecording' | 'inquireArsCall'>,
  call: { readonly reference: string; readonly attempt: number; readonly callId: string },
  signal: AbortSignal,
): Promise<AcceptedRecording | undefined> {
  const recording = await paymentGateway.fetchRecording(call.callId, signal);
  if (!recording) return undefined;
  const format = recordingFormat(recording);
  if (!format) throw new UnacceptableRecording('The recording has no permitted format.');
  if (recording.length > maxRecordingBytes) throw new UnacceptableRecording('The recording is too large.');
  const durationMs = recordingDuration(recording) ?? (await inquireDuration());
  if (!durationMs) throw new UnacceptableRecording('The recording has no known duration.');
  return { recording, format, durationMs };

  /** The payment gateway's figure, in ms: only of a WAV recording can the duration be measured. */
  async function inquireDuration(): Promise<number | undefined> {
    const { reference, attempt } = call;
    const answer = await paymentGateway.inquireArsCall({ reference, attempt }, signal);
    return answer.state === 'ENDED' && answer.recordingSeconds !== undefined
      ? Math.round(answer.recordingSeconds * 1_000)
      : undefined;
  }
}
