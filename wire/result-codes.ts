/** One result code of the API. */
export interface ResultCodeEntry {
  /** How the source refers to the code: `codes.<name>`. */
  readonly name: string;
  /** HTTP status of the response. */
  readonly status: 200 | 400 | 404 | 405 | 408 | 413 | 415 | 429 | 500 | 503;
  /** The description sent to the client. It never repeats input. */
  readonly text: string;
  /** When a client gets the code, for the documentation. */
  readonly when: string;
  /** Whether the same request may succeed when it is sent again later. */
  readonly retryable: boolean;
}

/**
 * Every result code of the API. Families: 000 common, 001 member, 002 bank account. The platform documents the codes
 * below `NNN_900`; this service defines those from `NNN_900` on, so the two can never collide.
 */
export const resultCodes = {
  '000_000': {
    name: 'SUCCESS',
    status: 200,
    text: 'Success.',
    when: 'The request was accepted or answered.',
    retryable: false,
  },
  '000_002': {
    name: 'INVALID_VALUE',
    status: 400,
    text: 'Invalid input value.',
    when: 'A value is empty or malformed; the text names the field.',
    retryable: false,
  },
  '000_003': {
    name: 'MISSING_VALUE',
    status: 400,
    text: 'Missing required values.',
    when: 'A required value is missing or null; the text names the field.',
    retryable: false,
  },
  '000_015': {
    name: 'WRONG_LENGTH',
    status: 400,
    text: 'The length of value does not match.',
    when: 'A value is too short or too long; the text names the field.',
    retryable: false,
  },
  '000_901': {
    name: 'UNKNOWN_PROJECT',
    status: 400,
    text: 'The service provider or its access key is not known.',
    when: 'X-KM-User-AspId and X-KM-Access-Key do not identify a project of this service.',
    retryable: false,
  },
  '000_902': {
    name: 'INACTIVE_PROJECT_OR_KEY',
    status: 400,
    text: 'The project or its key is not active.',
    when: 'The project, its access key or all of its secret keys are inactive or discarded.',
    retryable: false,
  },
  '000_903': {
    name: 'WRONG_TOKEN',
    status: 400,
    text: 'The transaction token does not match the body.',
    when: 'The HMAC in X-KM-Tran-Token does not match the bytes received, under any active secret key.',
    retryable: false,
  },
  '000_904': {
    name: 'TIME_OUT_OF_WINDOW',
    status: 400,
    text: "The transaction time is too far from the server's clock.",
    when: 'X-KM-Tran-Time or the time in X-KM-Tran-Token is outside the accepted window.',
    retryable: false,
  },
  '000_905': {
    name: 'CIPHERTEXT_REPEATED',
    status: 400,
    text: 'This encrypted request can no longer be repeated. Encrypt it again.',
    when: 'The ciphertext was sent to another operation before, or is too old to be repeated. A repeat at the same operation gets the first answer for 24 hours, or is served again within ten minutes if it had no effect.',
    retryable: false,
  },
  '000_906': {
    name: 'ENCRYPTION_REQUIRED',
    status: 400,
    text: 'This request must be encrypted.',
    when: 'The project requires encryption, and the operation documents an encrypted body.',
    retryable: false,
  },
  '000_907': {
    name: 'DECRYPTION_FAILED',
    status: 400,
    text: 'The encrypted body cannot be opened.',
    when: 'encData is not a JWE for the key that X-KM-Crypto-Key-Id names, or that key is not active; the text names the trouble.',
    retryable: false,
  },
  '000_908': {
    name: 'NOT_A_JSON_OBJECT',
    status: 400,
    text: 'The body is not a JSON object in UTF-8.',
    when: 'The body, or the decrypted content of encData, is not valid UTF-8, not valid JSON or not an object; the text names the trouble.',
    retryable: false,
  },
  '000_909': {
    name: 'UNKNOWN_PATH',
    status: 404,
    text: 'There is no such path.',
    when: 'The API has no such path.',
    retryable: false,
  },
  '000_910': {
    name: 'METHOD_NOT_ALLOWED',
    status: 405,
    text: 'This path does not take that method.',
    when: 'Every operation accepts POST only.',
    retryable: false,
  },
  '000_911': {
    name: 'REQUEST_TOO_LARGE',
    status: 413,
    text: 'The request is too large.',
    when: 'The body exceeds 64 KiB, or the headers exceed 16 KiB.',
    retryable: false,
  },
  '000_912': {
    name: 'UNSUPPORTED_CONTENT_TYPE',
    status: 415,
    text: 'The content type must be application/json in UTF-8.',
    when: 'Content-Type is missing, or names another type or a charset other than UTF-8, or the body has a Content-Encoding; the text says which.',
    retryable: false,
  },
  '000_913': {
    name: 'MALFORMED_HTTP',
    status: 400,
    text: 'The request is not valid HTTP.',
    when: 'The request line, a header or the transfer encoding is malformed.',
    retryable: false,
  },
  '000_914': {
    name: 'TOO_MANY_REQUESTS',
    status: 429,
    text: 'Too many requests. Send the request again after the seconds that Retry-After names.',
    when: 'The project exceeded its request rate or its number of concurrent requests, or too many accounts were checked for the member today. Nothing was done.',
    retryable: true,
  },
  '000_915': {
    name: 'REQUEST_TIMEOUT',
    status: 408,
    text: 'The request did not arrive in time.',
    when: 'The headers did not arrive within 10 s, or the whole request within 30 s.',
    retryable: true,
  },
  '000_916': {
    name: 'IDEMPOTENCY_KEY_REUSED',
    status: 400,
    text: 'This Idempotency-Key was used for another request.',
    when: 'A request with other fields had the same Idempotency-Key at this operation within the last 24 hours.',
    retryable: false,
  },
  '000_990': {
    name: 'INTERNAL_ERROR',
    status: 500,
    text: 'Internal error. Send the request again; if it persists, give the correlation ID to the operator.',
    when: 'An unexpected error in this service.',
    retryable: true,
  },
  '000_991': {
    name: 'SERVICE_UNAVAILABLE',
    status: 503,
    text: 'The service is not available at the moment. Send the request again shortly.',
    when: 'Temporal, the database or the payment gateway does not respond, or the service is overloaded.',
    retryable: true,
  },
  '001_006': {
    name: 'MEMBER_NOT_FOUND',
    status: 400,
    text: 'Wallet user not found',
    when: 'The service provider has no member with this ID.',
    retryable: false,
  },
  '002_013': {
    name: 'OPERATION_IN_PROGRESS',
    status: 400,
    text: 'Ars auth and bank account register is still in progress.',
    when: 'Another operation for the same member is running. If it is a registration, bankAccRegNo is its number.',
    retryable: true,
  },
  '002_014': {
    name: 'ARS_AUTH_FAILED',
    status: 400,
    text: 'Bank account register failed due to ARS auth failed.',
    when: 'The ARS call failed, for example because nobody answered or the code was wrong; reason says why. Registering again may help, unless retryable is false: the number is not in service.',
    retryable: true,
  },
  '002_015': {
    name: 'LIFETIME_ACCOUNT',
    status: 400,
    text: 'Bank account register failed due to lifetime account.',
    when: 'The number is a lifetime account number (an alias), which cannot be registered.',
    retryable: false,
  },
  '002_016': {
    name: 'RESTRICTED_ACCOUNT',
    status: 400,
    text: 'Invalid account.',
    when: 'The account is restricted.',
    retryable: false,
  },
  '002_019': {
    name: 'REGISTRATION_NOT_FOUND',
    status: 400,
    text: 'Not found ars bank account register error.',
    when: 'The service provider has no registration with this number.',
    retryable: false,
  },
  '002_901': {
    name: 'HOLDER_NAME_MISMATCH',
    status: 400,
    text: 'The name of the account holder does not match.',
    when: 'The real-name check found a different holder name.',
    retryable: false,
  },
  '002_902': {
    name: 'HOLDER_BIRTH_DATE_MISMATCH',
    status: 400,
    text: 'The birth date of the account holder does not match.',
    when: 'The real-name check found a different birth date.',
    retryable: false,
  },
  '002_903': {
    name: 'NO_SUCH_ACCOUNT',
    status: 400,
    text: 'There is no such account.',
    when: 'The bank has no account with this number.',
    retryable: false,
  },
  '002_904': {
    name: 'ACCOUNT_CLOSED',
    status: 400,
    text: 'The account is closed.',
    when: 'The account has been closed.',
    retryable: false,
  },
  '002_905': {
    name: 'ACCOUNT_DORMANT',
    status: 400,
    text: 'The account is dormant.',
    when: 'The bank has marked the account dormant.',
    retryable: false,
  },
  '002_906': {
    name: 'WRONG_ACCOUNT_KIND',
    status: 400,
    text: 'Accounts of this kind cannot be registered.',
    when: 'This kind of account does not allow withdrawals by transfer.',
    retryable: false,
  },
  '002_907': {
    name: 'HOLDER_DECEASED',
    status: 400,
    text: 'The account is blocked by the bank.',
    when: 'The bank reports that the holder is deceased.',
    retryable: false,
  },
  '002_908': {
    name: 'ACCOUNT_REPORTED_LOST',
    status: 400,
    text: 'The account is reported as lost or stolen.',
    when: 'The account has been reported lost or stolen.',
    retryable: false,
  },
  '002_909': {
    name: 'ACCOUNT_SEIZED',
    status: 400,
    text: 'The account is seized.',
    when: 'The account is under a seizure order.',
    retryable: false,
  },
  '002_910': {
    name: 'EVIDENCE_NOT_SECURED',
    status: 400,
    text: 'The evidence of consent could not be secured.',
    when: 'The recording could not be fetched or is not acceptable, or the payment gateway rejected it.',
    retryable: true,
  },
  '002_911': {
    name: 'HOLDER_IS_NOT_MEMBER',
    status: 400,
    text: 'The account holder is not the member.',
    when: "The holder's name or birth date differs from the member's own, and the project requires a match.",
    retryable: false,
  },
  '002_912': {
    name: 'NOT_REGISTERED_AFTER_REVIEW',
    status: 400,
    text: 'Bank account register failed after review.',
    when: 'The outcome at the payment gateway was unknown, and an operator found that the account is not registered.',
    retryable: true,
  },
  '002_913': {
    name: 'REAL_NAME_CHECK_UNAVAILABLE',
    status: 400,
    text: 'The real-name check could not be carried out.',
    when: 'The payment gateway did not answer the real-name check within the time allowed.',
    retryable: true,
  },
  '002_914': {
    name: 'CANCELLED',
    status: 400,
    text: 'Bank account register was cancelled.',
    when: 'The registration was cancelled before the payment gateway was asked to register the account.',
    retryable: true,
  },
  '002_915': {
    name: 'TOO_LATE_TO_CANCEL',
    status: 400,
    text: 'It is too late to cancel this registration.',
    when: 'The payment gateway has already been asked to register the account, or the registration has ended.',
    retryable: false,
  },
  '002_916': {
    name: 'NO_REGISTERED_ACCOUNT',
    status: 400,
    text: 'The member has no registered account.',
    when: 'The operation needs a registered withdrawal account.',
    retryable: false,
  },
  '002_917': {
    name: 'AUTO_CHARGE_FAILED',
    status: 400,
    text: 'The account could not be registered for auto charge.',
    when: 'The payment gateway does not know the account, or did not answer within the time allowed.',
    retryable: true,
  },
  '002_918': {
    name: 'BANK_OR_GATEWAY_CLOSED',
    status: 400,
    text: 'The bank or the payment gateway is closed.',
    when: 'The bank is in a maintenance window, or a registration waited a whole day for the bank or the payment gateway to open.',
    retryable: true,
  },
} as const satisfies Record<string, ResultCodeEntry>;

/** The kinds of trouble that the texts of `000_907`, `000_908` and `000_912` name. None repeats input. */
export const troubles = {
  NOT_A_JWE: 'encData is not a JWE in compact serialization: five parts with dots between them.',
  PADDING: 'The parts of encData must be Base64url without padding.',
  ALGORITHM: 'Use alg RSA-OAEP-256 and enc A128GCM or A256GCM, without zip.',
  KEY_ID: 'X-KM-Crypto-Key-Id names no active key of the project.',
  KEY: 'It was encrypted for another key, or altered.',
  NOT_UTF8: 'It is not valid UTF-8.',
  TRUNCATED: 'It is empty or ends too early.',
  DUPLICATE_KEY: 'A key occurs twice.',
  MALFORMED: 'It is not valid JSON.',
  NOT_AN_OBJECT: 'It is JSON of another kind.',
  OTHER_TYPE: 'Content-Type is missing, or names another type.',
  OTHER_CHARSET: 'Content-Type names another charset.',
  CONTENT_ENCODING: 'Send the body without Content-Encoding.',
} as const;

/** One of the {@link troubles}. */
export type Trouble = keyof typeof troubles;

/** A code of the catalogue, such as `002_013`. */
export type ResultCode = keyof typeof resultCodes;

/** The codes by name: `codes.MEMBER_NOT_FOUND` is `001_006`. */
export const codes = Object.fromEntries(
  Object.entries(resultCodes).map(([code, { name }]) => [name, code]),
) as { readonly [Code in ResultCode as (typeof resultCodes)[Code]['name']]: Code };
