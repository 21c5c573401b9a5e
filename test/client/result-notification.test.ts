import { expect, test } from 'vitest';
import {
  notificationAcknowledgement,
  InvalidNotificationError,
  verifyNotification,
} from '../../client/index.ts';
import { sealJwe } from './jwe.ts';
import { macOf, project } from './project.ts';

const { secretKey } = project;
const clientPrivateKey = project.client.privateKey;
const now = Date.UTC(2026, 10, 22, 9, 30, 5);

const content = `{
  "bankAccRegNo": "261122093000AB12CD34EF",
  "userId": "99999999999999999999",
  "status": "ARS_AUTH_FAILED",
  "response": {"code": "002_014", "description": "Bank account register failed due to ARS auth failed."},
  "sequence": 2,
  "occurredAt": "2026-11-22T09:30:04.123Z",
  "later": "addition"
}`;

/** A notification as the service sends it; `headers` replace its own. */
function createNotification({
  content: text = content,
  headers = {},
}: { content?: string; headers?: object } = {}) {
  const body = Buffer.from(JSON.stringify({ encData: sealJwe(text, project.client.publicKey) }));
  return {
    body,
    headers: {
      'X-KM-User-AspId': project.aspId,
      'X-KM-Correlation-Id': '261122093005-0a1b2c3',
      'X-KM-Crypto-Key-Id': project.cryptoKeyId,
      'X-KM-Tran-Token': `KMV1:20261122093005000:${macOf(body)}`,
      'X-KM-Tran-Time': '20261122093005',
      'X-KM-Time-Zone': 'UTC',
      ...headers,
    },
    secretKey,
    clientPrivateKey,
    now,
  };
}

/** The error code with which a notification is refused. */
async function refusalOf(notification: Parameters<typeof verifyNotification>[0]): Promise<string> {
  const error: unknown = await verifyNotification(notification).catch((reason: unknown) => reason);
  if (!(error instanceof InvalidNotificationError))
    throw new Error('No InvalidNotificationError.', { cause: error });
  expect(error.retryable).toBe(false);
  expect(error).not.toHaveProperty('cause');
  return error.code;
}

test('a genuine notification is decrypted, with unknown fields', async () => {
  expect(await verifyNotification(createNotification())).toEqual(JSON.parse(content));
});

test('headers may be Headers or an object in any case, and the body a string', async () => {
  const { headers, body, ...rest } = createNotification();
  const lowerCase = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  await expect(verifyNotification({ headers: lowerCase, body, ...rest })).resolves.toBeDefined();
  await expect(
    verifyNotification({ headers: new Headers(headers), body: body.toString(), ...rest }),
  ).resolves.toBeDefined();
});

test('a member ID sent as a number keeps every digit', async () => {
  const asNumber = content.replace('"99999999999999999999"', '99999999999999999999');
  await expect(verifyNotification(createNotification({ content: asNumber }))).resolves.toMatchObject({
    userId: '99999999999999999999',
  });
});

test('the times are in the zone that is named', async () => {
  const notification = createNotification();
  const token = `KMV1:20261122183005000:${macOf(notification.body)}`;
  const headers = { ...notification.headers, 'X-KM-Time-Zone': 'KST', 'X-KM-Tran-Time': '20261122183005' };
  await expect(
    verifyNotification({ ...notification, headers: { ...headers, 'X-KM-Tran-Token': token } }),
  ).resolves.toBeDefined();
  expect(await refusalOf({ ...notification, headers })).toBe('NOTIFICATION_TIME');
});

test('the clock is the default time', async () => {
  const { now: _now, ...notification } = createNotification();
  expect(await refusalOf(notification)).toBe('NOTIFICATION_TIME');
});

test.for([-10 * 60_000, 10 * 60_000])(
  '%s ms from the clock are accepted, one more is not',
  async (offset) => {
    await expect(verifyNotification({ ...createNotification(), now: now + offset })).resolves.toBeDefined();
    expect(await refusalOf({ ...createNotification(), now: now + offset + Math.sign(offset) })).toBe(
      'NOTIFICATION_TIME',
    );
  },
);

test.for([
  { 'X-KM-Tran-Time': '20261122093006', 'X-KM-Time-Zone': 'XYZ' },
  { 'X-KM-Tran-Time': '20261322093005' },
  { 'X-KM-Tran-Time': '20251122093005' },
])('invalid or different times are refused: %o', async (headers) => {
  expect(await refusalOf(createNotification({ headers }))).toBe('NOTIFICATION_TIME');
});

test('an altered body is refused', async () => {
  const notification = createNotification();
  const body = Buffer.from(notification.body);
  body[body.length - 10]! ^= 1;
  expect(await refusalOf({ ...notification, body })).toBe('NOTIFICATION_SIGNATURE');
});

test('a token under another secret key is refused, and unpadded Base64 is accepted', async () => {
  const notification = createNotification();
  expect(await refusalOf({ ...notification, secretKey: 'another' })).toBe('NOTIFICATION_SIGNATURE');
  const short = notification.headers['X-KM-Tran-Token'].slice(0, -1);
  await expect(
    verifyNotification({ ...notification, headers: { ...notification.headers, 'X-KM-Tran-Token': short } }),
  ).resolves.toBeDefined();
});

test.for(['X-KM-Tran-Token', 'X-KM-Correlation-Id', 'X-KM-Tran-Time', 'X-KM-Time-Zone', 'X-KM-User-AspId'])(
  'the header %s must be present and well-formed',
  async (name) => {
    expect(await refusalOf(createNotification({ headers: { [name]: undefined } }))).toBe(
      'NOTIFICATION_HEADERS',
    );
    expect(await refusalOf(createNotification({ headers: { [name]: 'wrong' } }))).toBe(
      'NOTIFICATION_HEADERS',
    );
    expect(await refusalOf(createNotification({ headers: { [name]: ['a', 'b'] } }))).toBe(
      'NOTIFICATION_HEADERS',
    );
  },
);

test('a body that is encrypted for another key, unencrypted or of another form is refused', async () => {
  const otherKey = { ...createNotification(), clientPrivateKey: project.server.privateKey };
  expect(await refusalOf(otherKey)).toBe('NOTIFICATION_CONTENT');
  const plain = Buffer.from(content);
  const headers = { ...otherKey.headers, 'X-KM-Tran-Token': `KMV1:20261122093005000:${macOf(plain)}` };
  expect(await refusalOf({ ...createNotification(), headers, body: plain })).toBe('NOTIFICATION_CONTENT');
  expect(await refusalOf(createNotification({ content: '{"bankAccRegNo":"1"}' }))).toBe(
    'NOTIFICATION_CONTENT',
  );
  expect(await refusalOf(createNotification({ content: 'no JSON' }))).toBe('NOTIFICATION_CONTENT');
});

test('the acknowledgement is the documented one', () => {
  expect(notificationAcknowledgement).toEqual({ response: { code: '000_000', description: 'Success.' } });
});
