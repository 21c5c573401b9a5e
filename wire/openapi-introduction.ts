import { institutions } from './bank-codes.ts';
import { requestHeadersSchema } from './headers.ts';
import { resultCodes } from './result-codes.ts';
import type { ResultCode } from './result-codes.ts';

/** The introduction of the documentation: the conventions of all operations and every result code. Markdown. */
export function openapiIntroduction(): string {
  return `Registers a member's withdrawal bank account. The service checks the account holder's real name, calls the member (ARS),
keeps the recording of the call as evidence of consent and registers the account at the payment gateway. During the call
the member enters a code. Every operation is a \`POST\` with a JSON body, including those that read or delete.

## Signing

${headerTable()}

These headers depend on the bytes of the body, so this document has them as security schemes, not as parameters. In a
generated client, set them in one place that sees the final body, such as an interceptor or an event hook.

\`X-KM-Tran-Token\` is \`KMV1:\`, the time as \`yyyyMMddHHmmssSSS\`, \`:\`, and the padded Base64 of an
HMAC-SHA256 over **the exact bytes of the body**, with the project's secret key. It has 67 characters. For an encrypted
request, sign the bytes of \`{"encData":"…"}\`. The time in the token and \`X-KM-Tran-Time\` must be within ten minutes of the
server's clock.

\`\`\`sh
mac=$(printf '%s' "$body" | openssl dgst -sha256 -hmac "$secret_key" -binary | base64)
token="KMV1:$(date -u +%Y%m%d%H%M%S000):$mac"
\`\`\`

## Time zone

\`X-KM-Time-Zone\` names the time zone of both times: \`UTC\`, \`KST\` or another zone with the same offset all year.

## Encryption

An encrypted body is \`{"encData":"…"}\` with a JWE in compact serialization: \`alg\` RSA-OAEP-256, \`enc\` A128GCM or A256GCM.
Encrypt for the server's public key and name that key in \`X-KM-Crypto-Key-Id\`. Every operation accepts an encrypted body. An
operation that documents encryption refuses a plain body with \`000_906\` if the project requires encryption. An encrypted response is encrypted for the client's public
key. Refusals are always plain.

## Repeating a request

A request whose answer is lost can be sent again. An **encrypted** body, sent again byte for byte to the same operation, has one
effect: a repeat gets the first answer for 24 hours, and one that had no effect, such as a read, a refusal or a 5xx, is served
again for ten minutes. Anywhere else, or later, the ciphertext is refused with \`000_905\`; encrypt the request again.

With an \`Idempotency-Key\` a request can also be encrypted again: for 24 hours, the same fields with the same key get the first
answer. Other fields with it are refused with \`000_916\`. A refusal and a 5xx free the key. Operations that change something
take it: registration, cancellation, deletion and auto charge. Parallel copies have one effect, and all get its answer.

## Responses

The payload is beside \`response\`: \`{"bankAccRegNo":"…","response":{"code":"000_000","description":"Success."}}\`. A refusal has
the same \`response\`, with one of the codes below. \`userId\` has up to 20 digits, more than a JavaScript number can hold. Send
it as a JSON number or as a string of digits. The response has it as a number with every digit.

## Names

A name may arrive in any Unicode form. It is composed (NFC), zero-width characters are dropped, and white space is trimmed and
folded to one space. Its length counts characters as people do. Names are compared without white space and, for Latin
letters, without case and width. Bidirectional controls, private-use and unassigned code points, U+FFFD, Hangul fillers and
the Braille blank are refused with \`000_002\`. \`bankName\` is kept as it was sent.

## Bank codes

\`bankCode\` names the institution; the schema \`BankCode\` lists all. \`005\`, \`010\` and \`021\` are accepted for \`081\`, \`011\` and
\`088\`. Savings banks, forestry cooperatives and securities firms are accepted for a project that is set so; the list of
institutions has what the project accepts.

## Account and phone numbers

An account number is stored and compared as digits; spaces, hyphens and dashes may stand between them.

A phone number may have any usual spelling, such as \`010-1234-5678\`, \`(010) 1234 5678\` or \`+82 10 1234 5678\`. It must belong to
a mobile, landline, internet or 050 number that can be called in Korea; any other is refused with \`000_002\`.

## Result codes

Every operation can return the codes that start with 000. *Retryable* says whether the same request may succeed later.

<details>
<summary>All result codes</summary>

${resultCodeTable()}

</details>
`;
}

/** A list of result codes, one per line. Markdown. */
export function resultCodeList(codes: readonly ResultCode[]): string {
  return codes
    .map((code) => {
      const { text, when, retryable } = resultCodes[code];
      return `- \`${code}\` **${text}** ${when}${retryable ? ' *Retryable.*' : ''}`;
    })
    .join('\n');
}

function headerTable(): string {
  const rows = Object.entries(requestHeadersSchema.shape).map(
    ([name, { description }]) => `| \`${name}\` | ${description} |`,
  );
  return ['| Header | Value |', '| --- | --- |', ...rows].join('\n');
}

function resultCodeTable(): string {
  const rows = Object.entries(resultCodes).map(
    ([code, { status, text, when, retryable }]) =>
      `| \`${code}\` | ${status} | ${text} | ${when} | ${retryable ? 'yes' : 'no'} |`,
  );
  return ['| Code | HTTP | Text | When | Retryable |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

/** Every bank code with the names of its institution. Markdown. */
export function bankCodeTable(): string {
  const rows = Object.entries(institutions).map(
    ([code, { ko, en, kind }]) => `| \`${code}\` | ${ko} | ${en} | ${kinds[kind]} |`,
  );
  return ['| Code | Korean | English | Kind |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const kinds = {
  BANK: 'bank',
  SAVINGS_BANKS: 'savings bank',
  FORESTRY: 'forestry cooperative',
  SECURITIES: 'securities firm',
};
