import { request as send } from 'undici';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { arsOutcomes } from '../../wire/registration-status.ts';
import { maxRecordingBytes } from '../../contract/recording.ts';
import { refusalReasons } from '../../contract/refusal-reasons.ts';
import { BankUnavailable, NothingSent, PaymentGatewayUnavailable } from '../payment-gateway.ts';
import type { PaymentGateway } from '../payment-gateway.ts';
import { receiveCallback } from './callback.ts';
import { sign, signatureWindow } from './signature.ts';

/** Where the payment gateway is, and what both sides sign with. */
export interface PaymentGatewayOptions {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** One or several, separated by commas: the first signs, callbacks may be signed with any. */
  readonly sharedSecret: string;
  /** Where the payment gateway sends its callbacks. */
  readonly callbackUrl: string;
  /** Headers for whoever follows a request through both systems; they are not signed. Default: none. */
  readonly correlationHeaders?: () => Readonly<Record<string, string>>;
}

/** In bytes: one more than evidence may have, so that a recording that is too large is noticed without reading it all. */
const recordingReadLimit = maxRecordingBytes + 1;

const refused = z.object({ state: z.literal('REFUSED'), reason: z.enum(refusalReasons) });
const holderAnswer = z.object({ result: z.enum(['MATCHED', ...refusalReasons]) });
const placedCall = z.object({ callId: z.string() });
const arsCallAnswer = z.union([
  z.object({ state: z.enum(['NOT_FOUND', 'NO_OUTCOME', 'IN_PROGRESS']) }),
  z.object({
    state: z.literal('PASSED'),
    callId: z.string(),
    recordingSeconds: z.number().positive().max(3_600).optional().catch(undefined),
  }),
  z.object({ state: z.literal('FAILED'), callId: z.string(), outcome: z.enum(arsOutcomes) }),
]);
const registrationAnswer = z.union([z.object({ state: z.enum(['REGISTERED', 'ACCEPTED']) }), refused]);
const registrationInquiryAnswer = z.union([
  z.object({ state: z.enum(['NOT_FOUND', 'IN_PROGRESS', 'REGISTERED', 'REMOVED']) }),
  refused,
]);
const ledgerPage = z.object({
  registrations: z.array(
    z.object({
      entryId: z.string().max(200),
      reference: z.string().max(200),
      memberId: z.string(),
      bankCode: z.string(),
      accountNumber: z.string(),
      evidenceSha256: z.string().optional(),
      state: z.enum(['REGISTERED', 'REMOVED']),
    }),
  ),
  nextCursor: z.string().nullable(),
});

const bankOutage = z.object({ error: z.literal('BANK_UNAVAILABLE') });

/** The payment gateway over HTTP: signed JSON requests, answers checked against the protocol. */
export function createHttpPaymentGateway(options: PaymentGatewayOptions): PaymentGateway {
  const { callbackUrl } = options;

  /** `sendBy`: the request is signed for so long ago that its signature expires then. */
  async function post(
    path: string,
    content: object,
    statuses: readonly number[],
    signal: AbortSignal,
    sendBy?: Date,
  ) {
    const url = new URL(options.baseUrl + path);
    const body = JSON.stringify(content);
    const signedAt = sendBy ? sendBy.getTime() - signatureWindow : Date.now();
    const signature = sign(options.sharedSecret, url.pathname, body, signedAt);
    try {
      const response = await send(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...options.correlationHeaders?.(), ...signature },
        body,
        signal,
      });
      if (statuses.includes(response.statusCode)) return response;
      if (await isBankOutage(response)) {
        throw new BankUnavailable(`${path} was answered: the bank is unavailable.`);
      }
      const answer = `${path} was answered with HTTP ${response.statusCode}.`;
      throw response.statusCode === 401
        ? new NothingSent(`${answer} Check PG_SHARED_SECRET, and the clocks of both sides.`)
        : new PaymentGatewayUnavailable(answer);
    } catch (error) {
      if (error instanceof PaymentGatewayUnavailable) throw error;
      const cause = causeOf(error);
      const text = `${path} was not answered: ${cause}.`;
      throw isBeforeSending(cause) ? new NothingSent(text) : new PaymentGatewayUnavailable(text);
    }
  }

  async function ask<Answer>(
    path: string,
    content: object,
    schema: z.ZodType<Answer>,
    signal: AbortSignal,
    statuses: readonly number[] = [200],
    sendBy?: Date,
  ): Promise<Answer> {
    const response = await post(path, content, statuses, signal, sendBy);
    const answer = schema.safeParse(await response.body.json().catch(() => undefined));
    if (answer.success) return answer.data;
    throw new PaymentGatewayUnavailable(`${path} was answered outside the protocol.`);
  }

  return {
    async inquireAccountHolder({ bankCode, accountNumber, holderName, birthDate }, signal) {
      const account = { bankCode, accountNumber, holderName, birthDate };
      return (await ask('/v1/account-holders/inquiry', account, holderAnswer, signal)).result;
    },

    async placeArsCall({ sendBy, ...request }, signal) {
      return await ask('/v1/ars-calls', { ...request, callbackUrl }, placedCall, signal, [202], sendBy);
    },

    async inquireArsCall({ reference, attempt }, signal) {
      const answer = await ask('/v1/ars-calls/inquiry', { reference, attempt }, arsCallAnswer, signal);
      if (answer.state === 'PASSED') return { ...answer, state: 'ENDED', outcome: 'PASSED' };
      if (answer.state === 'FAILED') return { ...answer, state: 'ENDED' };
      return answer;
    },

    async fetchRecording(callId, signal) {
      const response = await post('/v1/ars-calls/recording', { callId }, [200, 404], signal);
      if (response.statusCode !== 404) return await readAtMost(response.body, recordingReadLimit);
      await response.body.dump();
      return undefined;
    },

    async register({ sendBy, ...request }, signal) {
      const evidence = { kind: 'ARS', ...request.evidence };
      const content = { ...request, evidence, callbackUrl };
      return await ask('/v1/registrations', content, registrationAnswer, signal, [200, 202, 422], sendBy);
    },

    async inquireRegistration(reference, signal) {
      return await ask('/v1/registrations/inquiry', { reference }, registrationInquiryAnswer, signal);
    },

    async listRegistrations({ cursor, limit }, signal) {
      const content = { limit, ...(cursor !== null && { cursor }) };
      return await ask('/v1/registrations/ledger', content, ledgerPage, signal);
    },

    async registerAutoCharge(reference, signal) {
      const { statusCode, body } = await post(
        '/v1/registrations/auto-charge',
        { reference },
        [200, 404],
        signal,
      );
      await body.dump();
      return statusCode === 200;
    },

    async removeRegistration(reference, signal) {
      const { body } = await post('/v1/registrations/removal', { reference }, [200, 404], signal);
      await body.dump();
    },

    receiveCallback: async (request) => receiveCallback(options.sharedSecret, request),
  };
}

/** `{"error":"BANK_UNAVAILABLE"}` means that the bank is down; any other error is the payment gateway's own. */
async function isBankOutage({ statusCode, body }: Dispatcher.ResponseData): Promise<boolean> {
  if (statusCode !== 503) {
    await body.dump();
    return false;
  }
  return bankOutage.safeParse(await body.json().catch(() => undefined)).success;
}

async function readAtMost(body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks);
}

/** Errors of the name lookup, the connection and its TLS handshake: no byte of the request has left. */
const beforeSending =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_.*|ERR_TLS_.*|ERR_SSL_.*|.*_CERT.*|.*_ISSUER_.*)$/;

function isBeforeSending(cause: string): boolean {
  return beforeSending.test(cause);
}

/** The cause without addresses or content: a system code such as ECONNREFUSED, or an error's name. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.name;
  return 'unknown cause';
}
