import { z } from 'zod';
import { KmProtocolError, KmRefusal, KmUnavailable, RegistrationInProgressError } from './errors.ts';
import { readJson } from './json.ts';
import { codes } from '../wire/result-codes.ts';

/** An HTTP answer. */
export interface Answer {
  /** HTTP status. */
  readonly status: number;
  readonly body: string;
  /** The Retry-After header, if present. */
  readonly retryAfter?: string | null;
}

/** What is needed to read an answer. */
interface AnswerContext<Response extends z.ZodObject> {
  readonly correlationId: string;
  /** Of a request that changes something. */
  readonly idempotencyKey: string | undefined;
  /** The payload beside `response` when the code is `000_000`. */
  readonly response: Response;
  /** Decrypts `encData`; undefined without encryption keys. */
  readonly decrypt: ((jwe: string) => Promise<string>) | undefined;
}

const encryptedSchema = z.object({ encData: z.string() });

const envelopeSchema = z.looseObject({
  response: z.object({ code: z.string().regex(/^\d{3}_\d{3}$/), description: z.string() }),
});

/**
 * Returns the payload of an answer.
 * @throws {KmUnavailable} for HTTP 408, 429 and 5xx
 * @throws {KmRefusal} for a result code other than `000_000`
 * @throws {KmProtocolError} for any other answer
 */
export async function readAnswer<Response extends z.ZodObject>(
  answer: Answer,
  { correlationId, idempotencyKey, response, decrypt }: AnswerContext<Response>,
): Promise<z.output<Response>> {
  const envelope = envelopeSchema.safeParse(await readBody(answer.body, decrypt));
  if (isTransient(answer.status)) {
    const { code, description: text } = envelope.data?.response ?? serverError(answer.status);
    const retryAfterMs = readRetryAfter(answer.retryAfter);
    throw new KmUnavailable({ code, text, correlationId, idempotencyKey, retryAfterMs });
  }
  if (!envelope.success) {
    const text = `The answer does not have the form of this API (HTTP ${answer.status}). Check the base URL.`;
    throw new KmProtocolError({ text, correlationId, idempotencyKey });
  }
  const { response: result, ...payload } = envelope.data;
  if (result.code !== codes.SUCCESS) {
    const { code, description: text } = result;
    const Refusal = code === codes.OPERATION_IN_PROGRESS ? RegistrationInProgressError : KmRefusal;
    throw new Refusal({ code, text, correlationId, payload });
  }
  const checked = response.safeParse(payload);
  if (checked.success) return checked.data;
  const field = checked.error.issues[0]?.path.join('.');
  throw new KmProtocolError({
    text: `The answer does not match the documentation: ${field}.`,
    correlationId,
    idempotencyKey,
  });
}

/** The content of a body, or undefined. The cause is dropped: its message may quote the content. */
async function readBody(body: string, decrypt: AnswerContext<z.ZodObject>['decrypt']): Promise<unknown> {
  try {
    const content = readJson(body);
    const encrypted = encryptedSchema.safeParse(content);
    if (!encrypted.success) return content;
    return decrypt && readJson(await decrypt(encrypted.data.encData));
  } catch {
    return undefined;
  }
}

function isTransient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Converts Retry-After in whole seconds to ms; undefined for any other form. */
function readRetryAfter(retryAfter: string | null = ''): number | undefined {
  return /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) * 1_000 : undefined;
}

function serverError(status: number) {
  return { code: 'SERVER_ERROR', description: `The service is unavailable (HTTP ${status}).` };
}
