import { resultCodes } from './result-codes.ts';
import type { ResultCode } from './result-codes.ts';

/** What the documentation begins with: the conventions of all operations and every result code. Markdown. */
export function openapiIntroduction(): string {
  return `Registers a member's withdrawal bank account: the account holder's real name is checked, an automated call (ARS)
has the member key in a code, the recording is kept as evidence of consent, and the account is registered at the payment
gateway. Every operation is a \`POST\` with a JSON body, reads and deletions too.

## Signing

Every request carries \`X-KM-Tran-Token\`: \`KMV1:\`, the time as \`yyyyMMddHHmmssSSS\`, \`:\`, and the padded Base64 of
HMAC-SHA256 over **the exact bytes of the body** under the project's secret key: 67 characters. Of an encrypted request these
bytes are those of \`{"encData":"…"}\`. The time of the token and \`X-KM-Tran-Time\` must lie within ten minutes of the server's clock.

\`\`\`sh
mac=$(printf '%s' "$body" | openssl dgst -sha256 -hmac "$secret_key" -binary | base64)
token="KMV1:$(date -u +%Y%m%d%H%M%S000):$mac"
\`\`\`

## Time zone

\`X-KM-Time-Zone\` names the zone of both times: \`UTC\`, \`KST\` or another zone whose offset is the same all year.

## Encryption

An encrypted body is \`{"encData":"…"}\` with a JWE in compact serialization: \`alg\` RSA-OAEP-256, \`enc\` A128GCM or A256GCM,
for the server's public key, which \`X-KM-Crypto-Key-Id\` names. Every operation takes an encrypted body; those that say so
want one, and refuse a plain one with \`000_906\` where the project demands encryption. Encrypt each request anew: the same
ciphertext is accepted once. Where an answer is encrypted, it is encrypted for the client's public key; refusals are always plain.

## Answers

The payload and \`response\` stand side by side: \`{"bankAccRegNo":"…","response":{"code":"000_000","description":"Success."}}\`.
A refusal has the same \`response\` with a code below. \`userId\` has up to 20 digits, more than a JavaScript number keeps:
it is taken as a JSON number or as a string of digits, and answered as a number with every digit.

## Result codes

Codes of family 000 can come from every operation. *Again* tells whether the same request may succeed later.

<details>
<summary>All result codes</summary>

${resultCodeTable()}

</details>
`;
}

/** The codes of an answer, each on a line. Markdown. */
export function resultCodeList(codes: readonly ResultCode[]): string {
  return codes
    .map((code) => {
      const { text, when, retryable } = resultCodes[code];
      return `- \`${code}\` **${text}** ${when}${retryable ? ' Worth another try.' : ''}`;
    })
    .join('\n');
}

function resultCodeTable(): string {
  const rows = Object.entries(resultCodes).map(
    ([code, { status, text, when, retryable }]) =>
      `| \`${code}\` | ${status} | ${text} | ${when} | ${retryable ? 'yes' : 'no'} |`,
  );
  return ['| Code | HTTP | Text | When | Again |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}
