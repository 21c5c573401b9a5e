import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as openRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { eq } from 'drizzle-orm';
import { CompactEncrypt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resultNotifications } from '../../database/schema.ts';
import { operate } from '../fixtures/operate.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { callEncrypted, registration, untilEnded } from '../fixtures/wire-client.ts';
import type { Project } from '../fixtures/wire-client.ts';
import { programs, startReceiver } from './receiver-program.ts';
import type { Receiver, ReceiverKeys } from './receiver-program.ts';

const directory = mkdtempSync(join(tmpdir(), 'receivers-'));
let stack: Stack;
let project: Project;
/** A second set of keys of the same project. */
let otherKeys: ReceiverKeys;
let member = 0;
beforeAll(async () => {
  stack = await startStack();
  project = stack.projects[1];
  otherKeys = {
    aspId: project.aspId,
    cryptoKeyId: 'd'.repeat(32),
    secretKey: 'another-secret-key',
    clientPrivateKey: createPrivateKeyPem(),
  };
});
afterAll(async () => {
  await stack.close();
  rmSync(directory, { recursive: true });
});

function createPrivateKeyPem(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Changes {
  readonly content?: string;
  readonly alg?: string;
  readonly enc?: string;
  /** Signed and sent instead of the encrypted content. */
  readonly body?: string;
  readonly secretKey?: string;
  readonly encryptionKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

let results = 0;

/** What a notification says; `userId` has more digits than a double can hold. */
function createContent({
  bankAccRegNo = `261126093000${String(++results).padStart(10, '0')}`,
  sequence = 1,
} = {}): string {
  return `{
    "bankAccRegNo": "${bankAccRegNo}",
    "userId": 99999999999999999999,
    "status": "BANK_ACC_REGISTERED",
    "response": {"code": "000_000", "description": "Success."},
    "sequence": ${sequence},
    "occurredAt": "2026-11-26T00:30:00.000Z"
  }`;
}

/** A notification as the service would send it, but for the changes. */
async function createMessage(keys: ReceiverKeys, changes: Changes = {}): Promise<Message> {
  const content = changes.content ?? createContent();
  const publicKey = createPublicKey(createPrivateKey(changes.encryptionKey ?? keys.clientPrivateKey));
  const { alg = 'RSA-OAEP-256', enc = 'A128GCM', secretKey = keys.secretKey } = changes;
  const jwe = await new CompactEncrypt(Buffer.from(content))
    .setProtectedHeader({ alg, enc })
    .encrypt(publicKey);
  const body = changes.body ?? JSON.stringify({ encData: jwe });
  const now = new Date().toISOString().replace(/\D/g, '');
  const headers = {
    'Content-Type': 'application/json',
    'X-KM-User-AspId': keys.aspId,
    'X-KM-Correlation-Id': `${now.slice(2, 14)}-0a1b2c3`,
    'X-KM-Crypto-Key-Id': keys.cryptoKeyId,
    'X-KM-Tran-Token': `KMV1:${now}:${createHmac('sha256', secretKey).update(body).digest('base64')}`,
    'X-KM-Tran-Time': now.slice(0, 14),
    'X-KM-Time-Zone': 'UTC',
    ...changes.headers,
  };
  return { headers, body };
}

/** Each has one thing that a notification of the service never has. */
const forgeries: Readonly<Record<string, () => Promise<Message>>> = {
  'signed with another secret key': () => createMessage(project, { secretKey: 'guessed' }),
  'signed with the secret key of another set': () =>
    createMessage(project, { secretKey: otherKeys.secretKey }),
  'altered after it was signed': async () => {
    const message = await createMessage(project);
    return { ...message, body: `${message.body} ` };
  },
  'that is not signed': async () => {
    const { headers, body } = await createMessage(project);
    const { 'X-KM-Tran-Token': _, ...others } = headers;
    return { headers: others, body };
  },
  'with an empty signature': () =>
    createMessage(project, { headers: { 'X-KM-Tran-Token': 'KMV1:20261126093000000:' } }),
  'with the beginning of its signature': async () => {
    const { headers, body } = await createMessage(project);
    return { headers: { ...headers, 'X-KM-Tran-Token': headers['X-KM-Tran-Token']!.slice(0, 27) }, body };
  },
  'that names an unknown key': () =>
    createMessage(project, { headers: { 'X-KM-Crypto-Key-Id': 'e'.repeat(32) } }),
  'that names no key': async () => {
    const { headers, body } = await createMessage(project);
    const { 'X-KM-Crypto-Key-Id': _, ...others } = headers;
    return { headers: others, body };
  },
  'of another project': () => createMessage(project, { headers: { 'X-KM-User-AspId': 'ANOTHERPROJECT1' } }),
  'that is signed but not encrypted': () =>
    createMessage(project, { body: '{"bankAccRegNo":"261126093000AAAAAAAAAA","sequence":1}' }),
  'encrypted for another key': () => createMessage(project, { encryptionKey: otherKeys.clientPrivateKey }),
  'encrypted by another algorithm': () => createMessage(project, { alg: 'RSA-OAEP' }),
  'encrypted by another method': () => createMessage(project, { enc: 'A128CBC-HS256' }),
  'whose content is not JSON': () => createMessage(project, { content: 'BANK_ACC_REGISTERED' }),
  'of more than 64 KiB': () => createMessage(project, { content: createContent().padEnd(100_000) }),
};

for (const { language, program, missing } of programs) {
  // Needs the language and its library; a line of the output says which is missing.
  describe.skipIf(missing !== undefined)(`the receiver in ${language}`, () => {
    let receiver: Receiver;
    beforeAll(async () => {
      receiver = await startReceiver(program!, directory, project, otherKeys);
      await stack.stores.projects.setNotificationUrl(project.aspId, receiver.url);
      return () => receiver.stop();
    });

    const post = ({ headers, body }: Message) => fetch(receiver.url, { method: 'POST', headers, body });

    async function register(overrides: Readonly<Record<string, unknown>> = {}): Promise<string> {
      const request = registration(project, ++member, overrides);
      const { body } = await callEncrypted(stack.url, project, '/ars/register', request);
      const number = String(body['bankAccRegNo']);
      await untilEnded(stack.url, project, number);
      return number;
    }

    const untilDelivered = (number: string, deliveries: number) =>
      expect
        .poll(() => findNotification(number), { timeout: 30_000 })
        .toMatchObject({ state: 'DELIVERED', deliveries });

    const findNotification = async (number: string) =>
      (
        await stack.database.queries
          .select()
          .from(resultNotifications)
          .where(eq(resultNotifications.registrationNumber, number))
      )[0];

    it('stores the results of the service, and acknowledges a repeated one without storing it', async () => {
      const registered = await register();
      const failed = await register({ bankAccount: '11012349002' });
      await untilDelivered(registered, 1);
      await untilDelivered(failed, 1);
      const stored = [
        `stored ${registered} BANK_ACC_REGISTERED 000_000`,
        `stored ${failed} BANK_ACC_REG_FAILED 002_015`,
      ];
      expect(receiver.lines()).toEqual(stored);

      expect(await operate(stack, 'redeliver', '--number', failed)).toMatchObject({ exitCode: 0 });
      await untilDelivered(failed, 2);
      expect(receiver.lines()).toEqual([...stored, `repeated ${failed}`]);
    });

    it('acknowledges a test notification and stores nothing', async () => {
      const before = receiver.lines();
      const response = await fetch(`${stack.url}/sandbox/projects/${project.aspId}/test-notification`, {
        method: 'POST',
      });
      expect(await response.json()).toEqual({ acknowledged: true, answer: 200 });
      expect(receiver.lines()).toEqual([...before, 'test notification']);
    });

    it('stores a higher sequence of the same registration, and no lower one', async () => {
      const before = receiver.lines();
      for (const sequence of [4, 5, 4]) {
        const content = createContent({ bankAccRegNo: '261126093000SEQUENCE01', sequence });
        const response = await post(await createMessage(project, { content }));
        expect(response.status).toBe(200);
      }
      expect(receiver.lines().slice(before.length)).toEqual([
        'stored 261126093000SEQUENCE01 BANK_ACC_REGISTERED 000_000',
        'stored 261126093000SEQUENCE01 BANK_ACC_REGISTERED 000_000',
        'repeated 261126093000SEQUENCE01',
      ]);
    });

    it.for(['A128GCM', 'A256GCM'])('takes what is signed and encrypted (%s) with either set', async (enc) => {
      for (const keys of [project, otherKeys]) {
        const before = receiver.lines();
        const response = await post(await createMessage(keys, { enc }));
        expect([response.status, await response.json()]).toEqual([
          200,
          { response: { code: '000_000', description: 'Success.' } },
        ]);
        expect(receiver.lines()).toHaveLength(before.length + 1);
      }
    });

    /** Sends the body without a Content-Length, as a reverse proxy may. */
    async function postInChunks({ headers, body }: Message, chunkBytes: number) {
      const outgoing = openRequest(receiver.url, { method: 'POST', headers });
      const bytes = Buffer.from(body);
      for (let start = 0; start < bytes.length; start += chunkBytes)
        outgoing.write(bytes.subarray(start, start + chunkBytes));
      outgoing.end();
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      return [response.statusCode, await text(response)];
    }

    it('stores a notification whose body arrives in chunks', async () => {
      const before = receiver.lines();
      expect(await postInChunks(await createMessage(project), 300)).toEqual([
        200,
        '{"response":{"code":"000_000","description":"Success."}}',
      ]);
      expect(receiver.lines()).toHaveLength(before.length + 1);
    });

    it('refuses chunks of more than 64 KiB together', async () => {
      const before = receiver.lines();
      const content = createContent().padEnd(50_000);
      expect(await postInChunks(await createMessage(project, { content }), 8_000)).toEqual([400, '']);
      expect(receiver.lines()).toEqual(before);
    });

    it.for(Object.keys(forgeries))('refuses a notification %s', async (forgery) => {
      const before = receiver.lines();
      const response = await post(await forgeries[forgery]!());
      expect([response.status, await response.text()]).toEqual([400, '']);
      expect(receiver.lines()).toEqual(before);
    });
  });
}
