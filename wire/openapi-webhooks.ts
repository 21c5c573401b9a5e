import type { z } from 'zod';
import { requestHeadersSchema } from './headers.ts';
import { codes, resultCodes } from './result-codes.ts';
import {
  notificationAcknowledgement,
  resultNotificationSchema,
  testRegistrationNumber,
} from './result-notification.ts';

type Json = Readonly<Record<string, unknown>>;
type ToSchema = (schema: z.ZodType, side: 'output') => Json;

const headers = {
  'X-KM-User-AspId': 'Your ASP ID.',
  'X-KM-Correlation-Id':
    'That of the request that began the registration, if it had the documented form; the same on each delivery.',
  'X-KM-Crypto-Key-Id':
    'The first crypto key issued to you that is still active. It names the private key that decrypts the body and the secret key, issued with it, that verifies `X-KM-Tran-Token`.',
  'X-KM-Tran-Token':
    "`KMV1:`, the time as `yyyyMMddHHmmssSSS`, `:`, and the padded Base64 of HMAC-SHA256(secret key, the body's exact bytes).",
  'X-KM-Tran-Time': 'When it was sent: `yyyyMMddHHmmss` in the zone that X-KM-Time-Zone names.',
  'X-KM-Time-Zone': '`UTC`.',
} as const;

/** Content of notifications, for examples. */
const failed = resultCodes[codes.ARS_AUTH_FAILED];
const example = {
  bankAccRegNo: '261126093000AB12CD34EF',
  userId: 10000000001,
  status: 'ARS_AUTH_FAILED',
  response: { code: codes.ARS_AUTH_FAILED, description: failed.text },
  arsOutcome: 'NO_ANSWER',
  sequence: 3,
  occurredAt: '2026-11-26T00:31:12.345Z',
};

const description = `The service posts the result of each registration to the project's notification URL, if it has one. Polling gives the same
results; a notification saves time. In the repository, \`docs/receive-results.md\` has complete receivers in TypeScript, Python and
Java.

**Verify first.** Compare \`X-KM-Tran-Token\` with the HMAC of the raw body, in constant time. Refuse what does not match. Anyone
can encrypt for your public key, so only the token proves who sent it. It covers neither the other headers nor the times.

**Decrypt.** The body is always \`{"encData":"…"}\` with a JWE in compact serialization: \`alg\` RSA-OAEP-256, \`enc\` A128GCM.
Accept no other \`alg\`. Decrypted, it is for example

\`\`\`json
${JSON.stringify(example, null, 2)}
\`\`\`

Later versions may add fields.

**Acknowledge.** Store the result. Then answer within 10 seconds, with any 2xx and
\`${JSON.stringify(notificationAcknowledgement)}\`. A byte-order mark before it is
accepted. Redirects are not followed.

**Repeats.** Without that answer the notification is sent again after
30 seconds, 5 minutes, 30 minutes, 2 hours, 5 hours, 10 hours, 12 hours, 14 hours, 14 hours and 15 hours,
each up to a tenth longer: 11 deliveries in three days. \`Retry-After\` delays the next one by up to a day. HTTP 410 ends
the deliveries. Notifications of a project that is not active wait until it is again.

**Duplicates.** A notification can arrive twice or late, and whoever has seen one can send it again. Keep the highest
\`sequence\` of each \`bankAccRegNo\`. Acknowledge and ignore any that is not higher.

**Test notifications.** An operator sends one on request; so does \`POST /sandbox/projects/{aspId}/test-notification\` in the
sandbox. Its \`bankAccRegNo\` is \`${testRegistrationNumber}\`, which no registration has. Its \`userId\` and \`sequence\` are 0, and its
status is \`BANK_ACC_REG_FAILED\` with \`${codes.CANCELLED}\`. Verify and acknowledge it like any other, and do nothing else. It is sent once.`;

/** Describes what the service sends to service providers, for `webhooks` of the OpenAPI document. */
export function describeWebhooks(toSchema: ToSchema) {
  const parameters = Object.entries(headers).map(([name, text]) => {
    const form = requestHeadersSchema.shape[name as keyof typeof headers];
    const { description: _, ...schema } = toSchema(form, 'output');
    return { name, in: 'header', required: true, description: text, schema };
  });
  return {
    resultNotification: {
      post: {
        operationId: 'resultNotification',
        tags: ['Result notifications'],
        summary: 'Result of a registration',
        // The header parameters below, which the receiver reads.
        security: [],
        description,
        parameters,
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/EncryptedNotification' } } },
        },
        responses: {
          '200': {
            description: 'Stored; not sent again. Any other 2xx with this body counts, too.',
            content: {
              'application/json': {
                schema: { $ref: '#/components/schemas/NotificationAcknowledgement' },
                example: notificationAcknowledgement,
              },
            },
          },
          '400': { description: 'Not verified. Like any answer that is not listed here: sent again later.' },
          '410': { description: 'No further deliveries of this notification.' },
        },
      },
    },
  };
}

/** The named schemas to which the webhooks refer. */
export function webhookSchemas(toSchema: ToSchema) {
  const notification = toSchema(resultNotificationSchema, 'output') as {
    properties: Readonly<Record<string, Json>>;
  };
  const { description: why } = notification.properties['response']!;
  return {
    EncryptedNotification: {
      description: 'An encrypted result notification.',
      type: 'object',
      properties: {
        encData: {
          type: 'string',
          description: 'A JWE in compact serialization, whose plaintext is a `ResultNotification` in JSON.',
          pattern: '^[\\w-]+(\\.[\\w-]+){4}$',
          contentMediaType: 'application/jose',
          contentSchema: { $ref: '#/components/schemas/ResultNotification' },
        },
      },
      required: ['encData'],
    },
    ResultNotification: {
      description: 'What a result notification says, once it is decrypted.',
      ...notification,
      properties: {
        ...notification.properties,
        response: { description: why, $ref: '#/components/schemas/Result' },
      },
      examples: [example],
    },
    NotificationAcknowledgement: {
      description: 'Acknowledges a result notification.',
      type: 'object',
      properties: { response: { $ref: '#/components/schemas/AcknowledgementResult' } },
      required: ['response'],
    },
    AcknowledgementResult: {
      description: 'Says that a result notification is stored.',
      type: 'object',
      properties: { code: { type: 'string', const: codes.SUCCESS }, description: { type: 'string' } },
      required: ['code'],
    },
  };
}
