import { z } from 'zod';

/** The form of a correlation ID: `yyMMddHHmmss`, a hyphen, seven hexadecimal characters. */
export const correlationIdPattern = /^\d{12}-[0-9a-fA-F]{7}$/;

/**
 * The headers of every request. X-KM-Tran-Token is taken by its form: the documents say 66 characters, while the
 * padded form they describe has 67.
 */
export const requestHeadersSchema = z.object({
  'X-KM-User-AspId': z
    .string()
    .length(15)
    .regex(/^[\x21-\x7e]+$/)
    .describe('ASP ID: the service provider.'),
  'X-KM-Correlation-Id': z
    .string()
    .length(20)
    .regex(correlationIdPattern)
    .describe('`yyMMddHHmmss-xxxxxxx`: 12 digits, a hyphen, 7 hexadecimal characters. Echoed in the answer.'),
  'X-KM-Access-Key': z.string().length(40).describe("The project's access key. Absent on callbacks."),
  'X-KM-Crypto-Key-Id': z
    .string()
    .length(32)
    .optional()
    .describe('The key the body is encrypted for. Required when the body is encrypted.'),
  'X-KM-Tran-Token': z
    .string()
    .regex(/^KMV1:\d{17}:[A-Za-z0-9+/]{43}=?$/)
    .describe('`KMV1:yyyyMMddHHmmssSSS:` and the Base64 of HMAC-SHA256(secret key, body as sent).'),
  'X-KM-Tran-Time': z
    .string()
    .length(14)
    .regex(/^\d+$/)
    .describe('`yyyyMMddHHmmss` in the zone that X-KM-Time-Zone names.'),
  'X-KM-Time-Zone': z.string().length(3).describe('`UTC`, `KST` or another zone of a fixed offset.'),
});

/** The checked headers of a request. */
export type RequestHeaders = z.infer<typeof requestHeadersSchema>;
