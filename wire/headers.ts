import { z } from 'zod';

/** Matches a correlation ID: 20 visible ASCII characters. */
export const correlationIdPattern = /^[\x21-\x7e]{20}$/;

/** The documented form of a correlation ID: `yyMMddHHmmss`, a hyphen, seven hexadecimal characters. */
const documentedCorrelationId =
  /^\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d-[0-9A-Fa-f]{7}$/;

/**
 * What is kept of a client's correlation ID: one of the documented form, and nothing of another. A client may put
 * anything into 20 characters, also a name or a phone number.
 */
export function keptCorrelationId(given: string): string | undefined {
  return documentedCorrelationId.test(given) ? given : undefined;
}

/**
 * The headers of every request. The length of X-KM-Tran-Token is not checked: the platform documents 66 characters, but
 * the padded form that it describes has 67.
 */
export const requestHeadersSchema = z.object({
  'X-KM-User-AspId': z
    .string()
    .length(15)
    .regex(/^[\x21-\x7e]+$/)
    .describe('The ASP ID of the service provider: 15 characters.'),
  'X-KM-Correlation-Id': z
    .string()
    .length(20)
    .regex(correlationIdPattern)
    .describe(
      '20 visible ASCII characters, by convention `yyMMddHHmmss-xxxxxxx`: the time, a hyphen, 7 hexadecimal characters. Echoed in the response.',
    ),
  'X-KM-Access-Key': z
    .string()
    .length(40)
    .describe("The project's access key: 40 characters. Absent on result notifications."),
  'X-KM-Crypto-Key-Id': z
    .string()
    .length(32)
    .optional()
    .describe('The key that the body is encrypted for: 32 characters. Required for an encrypted body.'),
  'X-KM-Tran-Token': z
    .string()
    .regex(/^KMV1:\d{17}:[A-Za-z0-9+/]{43}=?$/)
    .describe(
      '`KMV1:yyyyMMddHHmmssSSS:` and the padded Base64 of HMAC-SHA256(secret key, body as sent): 67 characters.',
    ),
  'X-KM-Tran-Time': z
    .string()
    .length(14)
    .regex(/^\d+$/)
    .describe('`yyyyMMddHHmmss` in the time zone that X-KM-Time-Zone names.'),
  'X-KM-Time-Zone': z.string().length(3).describe('`UTC`, `KST` or another time zone with a fixed offset.'),
});

/** An operation that changes something takes this header, too. */
export const idempotencyKeyHeader = z.object({
  'Idempotency-Key': z
    .string()
    .min(1)
    .max(255)
    .regex(/^[\x21-\x7e]+$/)
    .describe(
      'Names the request, such as an order number or a UUID. For 24 hours, the same request with the same key gets the first answer and has no second effect; another request with it is refused with `000_916`. A refusal and a 5xx free the key.',
    ),
});

/** The validated headers of a request. */
export type RequestHeaders = z.infer<typeof requestHeadersSchema>;
