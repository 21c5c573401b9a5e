import type { z } from 'zod';
import {
  cancelRegistration,
  deleteAccount,
  getAccount,
  getTimeline,
  inquireAccount,
  inquireRegistration,
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
import { KmUnavailable } from './errors.ts';
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

/** What a client is made of. */
export interface KmClientOptions {
  /** Where the API is served, such as `https://example.com/open-api`; `/api/v1/...` is added. */
  readonly baseUrl: string;
  /** 15 characters. */
  readonly aspId: string;
  /** 40 characters. */
  readonly accessKey: string;
  readonly secretKey: string;
  /** Without it, requests are sent plain and encrypted answers cannot be read. */
  readonly encryption?: EncryptionKeys | undefined;
  /** How long to wait for one answer, in ms. Default 10000. */
  readonly timeoutMs?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** Unix ms. Default: Date.now. */
  readonly clock?: (() => number) | undefined;
}

/** What can be said of a single call. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. What the service does goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** What an operation is called with: its documented request, with the member's ID in any lossless form. */
export type RequestOf<Schema extends z.ZodObject> = WithUserId<z.input<Schema>>;

/** What a call resolves with: the documented payload; `userId` is a string. */
export type ResponseOf<Schema extends z.ZodObject> = z.output<Schema>;

type WithUserId<Request> = { [Name in keyof Request]: Name extends 'userId' ? UserId : Request[Name] };

/**
 * The API as methods. All of them reject with a {@link KmRefusal} when the service says no, a {@link KmUnavailable}
 * when it does not answer, a {@link KmProtocolError} when the answer is not of this API, a RangeError when a member's
 * ID is none or has lost digits, and a TypeError when a key cannot be read.
 */
export type KmClient = ReturnType<typeof createKmClient>;

/**
 * Makes a client of the API. It keeps no connection open and needs no closing.
 * @throws {TypeError} when `baseUrl` is no URL
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
  const key = once(() => importSecretKey(secretKey));
  const encrypt = encryption && createEncrypt(encryption.serverPublicKey);
  const decrypt = encryption && createDecrypt(encryption.clientPrivateKey);

  async function call<Request extends z.ZodObject, Response extends z.ZodObject>(
    { path, encrypted, response }: Operation<Request, Response>,
    request: RequestOf<Request>,
    options: CallOptions = {},
  ): Promise<ResponseOf<Response>> {
    const content = writeJson(request);
    const encData = encrypted ? await encrypt?.(content) : undefined;
    const body = encData === undefined ? content : JSON.stringify({ encData });
    const transaction = await createTransactionHeaders(await key(), body, clock());
    const correlationId = transaction['X-KM-Correlation-Id'];
    const headers = new Headers({
      'Content-Type': 'application/json',
      'X-KM-User-AspId': aspId,
      'X-KM-Access-Key': accessKey,
      ...(encData !== undefined && encryption && { 'X-KM-Crypto-Key-Id': encryption.cryptoKeyId }),
      ...transaction,
    });
    const answer = await post(apiUrl + path, { headers, body }, correlationId, options.signal);
    return await readAnswer(answer, { correlationId, response, decrypt });
  }

  async function post(
    url: string,
    request: { headers: Headers; body: string },
    correlationId: string,
    outer: AbortSignal | undefined,
  ): Promise<Answer> {
    try {
      return await withTimeLimit(timeoutMs, outer, async (signal) => {
        // A redirect would carry keys and personal data to wherever it points.
        const answer = await fetch(url, { method: 'POST', redirect: 'manual', signal, ...request });
        const { status, headers } = answer;
        return { status, body: await answer.text(), retryAfter: headers.get('Retry-After') };
      });
    } catch (cause) {
      outer?.throwIfAborted();
      throw cause instanceof TimeLimitReached
        ? new KmUnavailable({ code: 'TIMED_OUT', text: `No answer within ${timeoutMs} ms.`, correlationId })
        : new KmUnavailable({
            code: 'CONNECTION_FAILED',
            text: 'The connection failed.',
            correlationId,
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

  const inquire = method(inquireRegistration);

  return {
    /** Calls any operation of the contract. */
    call,
    /** Asks the bank whether an account belongs to a person; a KmRefusal tells why it does not. */
    validateAccountHolder: method(validateAccountHolder),
    /** Makes the two digits that the member keys in during the call; they live ten minutes. */
    issueArsCode: method(issueArsCode),
    /** Starts a registration and answers with its number; RegistrationInProgressError when one runs already. */
    register: method(registerAccount),
    /** Asks how a registration stands. A failed one comes as a KmRefusal with its reason: see failedRegistration. */
    inquire,
    /** Cancels a registration; KmRefusal 002_915 once the payment gateway was asked to register the account. */
    cancel: method(cancelRegistration),
    /** Tells what has happened to a registration, oldest first. */
    timeline: method(getTimeline),
    /** Lists the project's registrations, newest first, a page at a time. */
    list: method(listRegistrations),
    /** Gives the member's registered account: in full when the client encrypts, else masked. */
    account: method(getAccount),
    /** Tells what the member's registered account can be used for. */
    accountUse: method(inquireAccount),
    /** Registers the member's account, registered already, for auto charge. */
    registerForAutoCharge: method(registerForAutoCharge),
    /** Deletes the member's account. */
    deleteAccount: method(deleteAccount),
    /** Lists the banks. */
    institutions: (options?: CallOptions) => call(listInstitutions, {}, options),
    /**
     * Asks every two seconds until the registration has ended, however often the service is not there in between.
     * Resolves with how it ended, a failure included; rejects with a RegistrationStillRunningError after `timeoutMs`.
     */
    waitUntilDone: (registrationNumber: string, options?: WaitOptions): Promise<RegistrationResult> =>
      waitUntilDone(inquire, registrationNumber, options),
  };
}
