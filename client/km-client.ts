import type { z } from 'zod';
import {
  cancelRegistration,
  deleteAccount,
  getAccount,
  getTimeline,
  inquireAccount,
  inquireRegistrationStatus,
  issueArsCode,
  listInstitutions,
  listRegistrations,
  registerAccount,
  registerForAutoCharge,
  validateAccountHolder,
} from '../wire/bank-account-operations.ts';
import type { Operation } from '../wire/operation.ts';
import { readAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import { KmAborted, KmUnavailable } from './errors.ts';
import { writeJson } from './json.ts';
import type { UserId } from './json.ts';
import { createDecrypt, createEncrypt } from './message-encryption.ts';
import type { EncryptionKeys } from './message-encryption.ts';
import { once } from './once.ts';
import type { RegistrationResult } from './registration-result.ts';
import { TimeLimitReached, withTimeLimit } from './time-limit.ts';
import { createTransactionHeaders, importSecretKey } from './tran-token.ts';
import { waitUntilDone } from './wait-until-done.ts';
import type { WaitOptions } from './wait-until-done.ts';

/** The options of a client. */
export interface KmClientOptions {
  /** The URL before `/api/v1/…`, such as `https://example.com/open-api`. */
  readonly baseUrl: string;
  /** 15 characters. */
  readonly aspId: string;
  /** 40 characters. */
  readonly accessKey: string;
  readonly secretKey: string;
  /** Without it, requests are sent unencrypted, and encrypted answers cannot be read. */
  readonly encryption?: EncryptionKeys | undefined;
  /** The timeout of one call, in ms. Default: 10000. */
  readonly timeoutMs?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** The current time in Unix ms. Default: Date.now. */
  readonly clock?: (() => number) | undefined;
}

/** The options of a single call. */
export interface CallOptions {
  /**
   * Aborts the call, which then rejects with the signal's reason or, if it changes something, with a {@link KmAborted}
   * that has it as its `cause`. The service does not notice.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Names a request that changes something: 1 to 255 visible ASCII characters. For 24 hours a call with the same key and
   * request gets the first answer and has no second effect. Default: a new UUID. Every error that leaves the outcome
   * unknown carries it.
   */
  readonly idempotencyKey?: string | undefined;
}

/** The documented request of an operation, with `userId` in any lossless form. */
export type RequestOf<Schema extends z.ZodObject> = WithUserId<z.input<Schema>>;

/** The documented payload of an answer; `userId` is a string. */
export type ResponseOf<Schema extends z.ZodObject> = z.output<Schema>;

type WithUserId<Request> = {
  [Name in keyof Request]: Name extends 'userId' ? UserId | Extract<Request[Name], undefined> : Request[Name];
};

/**
 * The API as methods. They reject with a {@link KmRefusal} for a result code other than `000_000`, a
 * {@link KmUnavailable} when there is no answer, a {@link KmProtocolError} when the answer does not belong to this API, a
 * {@link KmAborted} when the caller's signal aborts a call that changes something, a RangeError for an invalid `userId`,
 * and a TypeError for an unreadable key.
 */
export type KmClient = ReturnType<typeof createKmClient>;

/**
 * Creates a client of the API. It holds no resources, so there is nothing to close.
 * @throws {TypeError} when `baseUrl` is not a URL
 */
export function createKmClient({
  baseUrl,
  aspId,
  accessKey,
  secretKey,
  encryption,
  timeoutMs = 10_000,
  fetch = globalThis.fetch,
  clock = Date.now,
}: KmClientOptions) {
  const apiUrl = `${new URL(baseUrl).href.replace(/\/+$/, '')}/api/v1`;
  const signingKey = once(() => importSecretKey(secretKey));
  const encrypt = encryption && createEncrypt(encryption.serverPublicKey);
  const decrypt = encryption && createDecrypt(encryption.clientPrivateKey);

  async function call<Request extends z.ZodObject, Response extends z.ZodObject>(
    { path, encrypted, changes, response }: Operation<Request, Response>,
    request: RequestOf<Request>,
    options: CallOptions = {},
  ): Promise<ResponseOf<Response>> {
    const content = writeJson(request);
    const encData = encrypted ? await encrypt?.(content) : undefined;
    const body = encData === undefined ? content : JSON.stringify({ encData });
    const transaction = await createTransactionHeaders(await signingKey(), body, clock());
    const correlationId = transaction['X-KM-Correlation-Id'];
    const idempotencyKey = changes ? (options.idempotencyKey ?? crypto.randomUUID()) : undefined;
    const headers = new Headers({
      'Content-Type': 'application/json',
      'X-KM-User-AspId': aspId,
      'X-KM-Access-Key': accessKey,
      ...(encData !== undefined && encryption && { 'X-KM-Crypto-Key-Id': encryption.cryptoKeyId }),
      ...(idempotencyKey !== undefined && { 'Idempotency-Key': idempotencyKey }),
      ...transaction,
    });
    const identity = { correlationId, idempotencyKey };
    const answer = await post(apiUrl + path, { headers, body }, identity, options.signal);
    return await readAnswer(answer, { ...identity, response, decrypt });
  }

  async function post(
    url: string,
    request: { headers: Headers; body: string },
    identity: { readonly correlationId: string; readonly idempotencyKey: string | undefined },
    outer: AbortSignal | undefined,
  ): Promise<Answer> {
    try {
      return await withTimeLimit(timeoutMs, outer, async (signal) => {
        // Following a redirect would send keys and personal data to another server.
        const answer = await fetch(url, { method: 'POST', redirect: 'manual', signal, ...request });
        const { status, headers } = answer;
        return { status, body: await answer.text(), retryAfter: headers.get('Retry-After') };
      });
    } catch (cause) {
      if (outer?.aborted)
        throw identity.idempotencyKey === undefined
          ? outer.reason
          : new KmAborted({ ...identity, cause: outer.reason });
      throw cause instanceof TimeLimitReached
        ? new KmUnavailable({ code: 'TIMED_OUT', text: `No answer within ${timeoutMs} ms.`, ...identity })
        : new KmUnavailable({
            code: 'CONNECTION_FAILED',
            text: 'The connection failed.',
            ...identity,
            cause,
          });
    }
  }

  function method<Request extends z.ZodObject, Response extends z.ZodObject>(
    operation: Operation<Request, Response>,
  ) {
    return (request: RequestOf<Request>, options?: CallOptions): Promise<ResponseOf<Response>> =>
      call(operation, request, options);
  }

  const inquire = method(inquireRegistrationStatus);

  return {
    /** Calls any operation. */
    call,
    /** Asks the bank whether an account belongs to a person. A KmRefusal says why it does not. */
    validateAccountHolder: method(validateAccountHolder),
    /** Issues the two digits that the member enters during the call. They expire after ten minutes. */
    issueArsCode: method(issueArsCode),
    /** Starts a registration and returns its number. RegistrationInProgressError: an operation is already running. */
    register: method(registerAccount),
    /** Asks for a registration's status. Rejects with a KmRefusal for a failed one: see failedRegistration. */
    inquire,
    /** Cancels a registration. KmRefusal `002_915`: the payment gateway has already been asked to register. */
    cancel: ({ regNo }: { readonly regNo: string }, options?: CallOptions) =>
      call(cancelRegistration, { regNo, action: 'cancel' }, options),
    /** Lists what has happened to a registration, oldest first. */
    timeline: method(getTimeline),
    /** Lists the project's registrations, newest first, a page at a time. */
    list: method(listRegistrations),
    /** Returns the member's registered account: in full when the client encrypts, else masked. */
    account: method(getAccount),
    /** Returns what the member's registered account can be used for. */
    accountUse: method(inquireAccount),
    /** Registers the member's registered account for auto charge. */
    registerForAutoCharge: method(registerForAutoCharge),
    /** Deletes the member's account. */
    deleteAccount: method(deleteAccount),
    /** Lists the banks. */
    institutions: (options?: CallOptions) => call(listInstitutions, {}, options),
    /**
     * Polls every two seconds until the registration has ended, and keeps polling while the service is unavailable.
     * Resolves with the result, even a failed one. Rejects with a RegistrationStillRunningError after `timeoutMs`.
     */
    waitUntilDone: (registrationNumber: string, options?: WaitOptions): Promise<RegistrationResult> =>
      waitUntilDone(inquire, registrationNumber, options),
  };
}
