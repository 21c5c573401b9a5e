import { codes, resultCodes } from '../../wire/result-codes.ts';
import { idempotencyKeyHeader } from '../../wire/headers.ts';
import type { Operation } from '../../wire/operation.ts';
import type { RememberedRequest } from '../../database/remembered-requests.ts';
import type { ApiParts } from '../parts.ts';
import type { Caller } from './authentication.ts';
import { Refusal } from './refusal.ts';
import { validate } from './validation.ts';
import type { EncryptedBody } from './request-body.ts';

type Parts = Pick<ApiParts, 'stores' | 'log'>;

/**
 * A request that may arrive repeatedly and has at most one effect. It is known by its ciphertext and its Idempotency-Key;
 * of a plain one without a key nothing is remembered.
 */
export class RepeatableRequest {
  readonly #parts: Parts;
  readonly #operation: Operation;
  readonly #aspId: string;
  #ciphertext: RememberedRequest | undefined;
  #key: RememberedRequest | undefined;

  constructor(parts: Parts, operation: Operation, { project }: Caller) {
    this.#parts = parts;
    this.#operation = operation;
    this.#aspId = project.aspId;
  }

  /**
   * Remembers an encrypted body. Refuses with `000_905` when it was sent to another operation, or can no longer be
   * repeated.
   */
  async rememberCiphertext({ encData, cryptoKey }: EncryptedBody): Promise<void> {
    const { path } = this.#operation;
    const { rememberedRequests } = this.#parts.stores;
    const seen = await rememberedRequests.rememberCiphertext(
      this.#aspId,
      encData,
      path,
      cryptoKey.cryptoKeyId,
    );
    if (seen.operation !== path || !seen.isRepeatable) throw new Refusal(codes.CIPHERTEXT_REPEATED);
    this.#ciphertext = seen;
  }

  /**
   * Carries out a changing operation, unless an earlier copy had its effect and the answer has no fields. Other
   * operations ignore the key. Refuses an Idempotency-Key with `000_002` or `000_015` for its form, and with `000_916`
   * when it was sent with another request.
   */
  async once<Payload extends object>(
    idempotencyKey: string | undefined,
    request: object,
    act: () => Promise<Payload>,
  ): Promise<Payload> {
    if (!this.#operation.changes) return await act();
    if (idempotencyKey !== undefined) await this.#rememberKey(idempotencyKey, request);
    const hadEffect = this.#all.some(({ hasEffect }) => hasEffect);
    if (hadEffect && Object.keys(this.#operation.response.shape).length === 0) {
      // One of the two may be known for the first time, and come next with another one.
      await this.#parts.stores.rememberedRequests.noteEffect(this.#all);
      return {} as Payload;
    }
    try {
      const payload = await act();
      await this.#noteEffect();
      return payload;
    } catch (error) {
      await this.#release(error);
      throw error;
    }
  }

  /**
   * Binds the request to the registration that it makes or changes, so that a repeat meets the same one.
   * @param instead a number that it may be bound to, and that nobody has
   * @returns the number that it is bound to: the given one, or an earlier one
   */
  async bind(registrationNumber: string, instead?: string): Promise<string> {
    let bound = registrationNumber;
    // The ciphertext last: whatever key a repeat of it comes with, it is bound to one registration.
    for (const remembered of this.#all)
      bound = await this.#parts.stores.rememberedRequests.bind(remembered, bound, instead);
    // The key may have kept the given number. It may come next with another ciphertext.
    if (this.#key && bound !== registrationNumber)
      await this.#parts.stores.rememberedRequests.bind(this.#key, bound, registrationNumber);
    return bound;
  }

  /** What it and its copies are known by: one of these at least is the same. */
  get digests(): readonly string[] {
    return this.#all.map(({ digest }) => digest);
  }

  async #rememberKey(idempotencyKey: string, request: object): Promise<void> {
    validate(idempotencyKeyHeader, { 'Idempotency-Key': idempotencyKey });
    const { rememberedRequests } = this.#parts.stores;
    const seen = await rememberedRequests.rememberKey(
      this.#aspId,
      idempotencyKey,
      this.#operation.path,
      request,
    );
    if (!seen.isSame) throw new Refusal(codes.IDEMPOTENCY_KEY_REUSED);
    this.#key = seen;
  }

  /** It had its effect even if this fails. */
  async #noteEffect(): Promise<void> {
    await this.#parts.stores.rememberedRequests
      .noteEffect(this.#all)
      .catch((error: unknown) =>
        this.#parts.log.warn({ err: error }, 'could not note that a request had its effect'),
      );
  }

  /** Lets the key be used for another request, unless this one may have had an effect. */
  async #release(cause: unknown): Promise<void> {
    if (!this.#key?.isNew) return;
    const onlyIfNothing = !(cause instanceof Refusal && resultCodes[cause.code].status < 500);
    await this.#parts.stores.rememberedRequests
      .release(this.#key, { onlyIfNothing })
      .catch((error: unknown) =>
        this.#parts.log.warn({ err: error }, 'could not release an Idempotency-Key'),
      );
  }

  get #all(): readonly RememberedRequest[] {
    return [this.#key, this.#ciphertext].filter((remembered) => remembered !== undefined);
  }
}
