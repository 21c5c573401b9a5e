import { LosslessNumber, stringify } from 'lossless-json';
import type { Activities, CallbackState } from '../contract/activities.ts';
import { resultCodes } from '../contract/result-codes.ts';
import type { Project } from '../platform/database/projects.ts';
import type { ResultCallback } from '../platform/database/result-callbacks.ts';
import { encryptMessage } from '../platform/message-encryption.ts';
import { createCorrelationId, createTranToken, tranTimeOf } from '../platform/tran-token.ts';
import type { CallbackAnswer } from './callback-sender.ts';
import type { Ports } from './ports.ts';

/** Tells service providers how registrations ended, in the platform's style of callbacks. */
export function resultCallbackActivities({
  stores,
  callbackSender,
  metrics,
}: Ports): Pick<Activities, 'deliverResultCallback'> {
  return {
    async deliverResultCallback({ registrationNumber, isLast }) {
      const callback = await stores.resultCallbacks.open(registrationNumber);
      const answer = await send(callback);
      const state = stateAfter(answer, isLast);
      metrics.resultCallbacks.inc({ state });
      await stores.resultCallbacks.recordDelivery(registrationNumber, state);
      return { state, retryAfter: answer.reached ? answer.retryAfter : 0 };
    },
  };

  async function send(callback: ResultCallback): Promise<CallbackAnswer> {
    const project = await stores.projects.find(callback.aspId);
    if (!project || callback.callbackUrl === undefined) return { reached: false };
    const message = await createMessage(project, callback, new Date());
    return message
      ? await callbackSender.send(callback.callbackUrl, message.headers, message.body)
      : { reached: false };
  }
}

/** Undefined when the project has no active key to sign or to encrypt with. */
async function createMessage(project: Project, callback: ResultCallback, now: Date) {
  // The documents have the first key issued used for callbacks.
  const cryptoKey = project.cryptoKeys.find(({ state }) => state === 'ACTIVE');
  const secretKey = project.secretKeys.find(({ state }) => state === 'ACTIVE');
  if (!cryptoKey || !secretKey) return undefined;
  const content = Buffer.from(stringify(contentOf(callback)) ?? '');
  const body = JSON.stringify({ encData: await encryptMessage(content, cryptoKey.clientPublicKey) });
  const headers = {
    'Content-Type': 'application/json',
    'X-KM-User-AspId': project.aspId,
    'X-KM-Correlation-Id': createCorrelationId(now),
    'X-KM-Crypto-Key-Id': cryptoKey.cryptoKeyId,
    'X-KM-Tran-Token': createTranToken(body, secretKey.secret, now),
    'X-KM-Tran-Time': tranTimeOf(now),
    'X-KM-Time-Zone': 'UTC',
  };
  return { headers, body };
}

function contentOf(callback: ResultCallback) {
  const { bankAccRegNo, userId, status, resultCode, arsOutcome, sequence, occurredAt } = callback;
  return {
    bankAccRegNo,
    userId: new LosslessNumber(userId),
    status,
    response: { code: resultCode, description: resultCodes[resultCode].text },
    ...(arsOutcome !== undefined && { arsOutcome }),
    sequence,
    occurredAt: occurredAt.toISOString(),
  };
}

function stateAfter(answer: CallbackAnswer, isLast: boolean): CallbackState {
  if (answer.reached && answer.status === 410) return 'GONE';
  if (answer.reached && answer.status === 200 && isAcknowledgement(answer.body)) return 'DELIVERED';
  return isLast ? 'EXHAUSTED' : 'PENDING';
}

/** `{"response":{"code":"000_000",…}}`, as the platform documents it. */
function isAcknowledgement(body: string): boolean {
  try {
    const { response } = JSON.parse(body) as { response?: { code?: unknown } };
    return response?.code === '000_000';
  } catch {
    return false;
  }
}
