import { expect, test } from 'vitest';
import { callbackAcknowledgement, InvalidCallbackError, verifyCallback } from '../../client/index.ts';
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

/** A callback as the service makes it; `headers` of the test replace its own. */
function createCallback({
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

/** The code of the error that a callback is refused with. */
async function refusalOf(callback: Parameters<typeof verifyCallback>[0]): Promise<string> {
  const error: unknown = await verifyCallback(callback).catch((reason: unknown) => reason);
  if (!(error instanceof InvalidCallbackError)) throw new Error('No InvalidCallbackError.', { cause: error });
  expect(error.retryable).toBe(false);
  expect(error).not.toHaveProperty('cause');
  return error.code;
}

test('a genuine callback is opened, additions included', async () => {
  expect(await verifyCallback(createCallback())).toEqual(JSON.parse(content));
});

test('headers may be of either kind and in any case, the body text', async () => {
  const { headers, body, ...rest } = createCallback();
  const lowerCase = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  await expect(verifyCallback({ headers: lowerCase, body, ...rest })).resolves.toBeDefined();
  await expect(
    verifyCallback({ headers: new Headers(headers), body: body.toString(), ...rest }),
  ).resolves.toBeDefined();
});

test('a member ID sent as a number keeps every digit', async () => {
  const asNumber = content.replace('"99999999999999999999"', '99999999999999999999');
  await expect(verifyCallback(createCallback({ content: asNumber }))).resolves.toMatchObject({
    userId: '99999999999999999999',
  });
});

test('the times are of the zone that is named', async () => {
  const callback = createCallback();
  const token = `KMV1:20261122183005000:${macOf(callback.body)}`;
  const headers = { ...callback.headers, 'X-KM-Time-Zone': 'KST', 'X-KM-Tran-Time': '20261122183005' };
  await expect(
    verifyCallback({ ...callback, headers: { ...headers, 'X-KM-Tran-Token': token } }),
  ).resolves.toBeDefined();
  expect(await refusalOf({ ...callback, headers })).toBe('CALLBACK_TIME');
});

test('the clock decides when no time is given', async () => {
  const { now: _now, ...callback } = createCallback();
  expect(await refusalOf(callback)).toBe('CALLBACK_TIME');
});

test.for([-10 * 60_000, 10 * 60_000])('%s ms from the clock are taken, one more is not', async (offset) => {
  await expect(verifyCallback({ ...createCallback(), now: now + offset })).resolves.toBeDefined();
  expect(await refusalOf({ ...createCallback(), now: now + offset + Math.sign(offset) })).toBe(
    'CALLBACK_TIME',
  );
});

test.for([
  { 'X-KM-Tran-Time': '20261122093006', 'X-KM-Time-Zone': 'XYZ' },
  { 'X-KM-Tran-Time': '20261322093005' },
  { 'X-KM-Tran-Time': '20251122093005' },
])('times that are none or another are refused: %o', async (headers) => {
  expect(await refusalOf(createCallback({ headers }))).toBe('CALLBACK_TIME');
});

test('an altered body is refused', async () => {
  const callback = createCallback();
  const body = Buffer.from(callback.body);
  body[body.length - 10]! ^= 1;
  expect(await refusalOf({ ...callback, body })).toBe('CALLBACK_SIGNATURE');
});

test('a token under another secret key is refused, and one of another length too', async () => {
  const callback = createCallback();
  expect(await refusalOf({ ...callback, secretKey: 'another' })).toBe('CALLBACK_SIGNATURE');
  const short = callback.headers['X-KM-Tran-Token'].slice(0, -1);
  await expect(
    verifyCallback({ ...callback, headers: { ...callback.headers, 'X-KM-Tran-Token': short } }),
  ).resolves.toBeDefined();
});

test.for(['X-KM-Tran-Token', 'X-KM-Correlation-Id', 'X-KM-Tran-Time', 'X-KM-Time-Zone', 'X-KM-User-AspId'])(
  'the header %s must be there and of its form',
  async (name) => {
    expect(await refusalOf(createCallback({ headers: { [name]: undefined } }))).toBe('CALLBACK_HEADERS');
    expect(await refusalOf(createCallback({ headers: { [name]: 'wrong' } }))).toBe('CALLBACK_HEADERS');
    expect(await refusalOf(createCallback({ headers: { [name]: ['a', 'b'] } }))).toBe('CALLBACK_HEADERS');
  },
);

test('a body for another key, plain, or with another content is refused', async () => {
  const otherKey = { ...createCallback(), clientPrivateKey: project.server.privateKey };
  expect(await refusalOf(otherKey)).toBe('CALLBACK_CONTENT');
  const plain = Buffer.from(content);
  const headers = { ...otherKey.headers, 'X-KM-Tran-Token': `KMV1:20261122093005000:${macOf(plain)}` };
  expect(await refusalOf({ ...createCallback(), headers, body: plain })).toBe('CALLBACK_CONTENT');
  expect(await refusalOf(createCallback({ content: '{"bankAccRegNo":"1"}' }))).toBe('CALLBACK_CONTENT');
  expect(await refusalOf(createCallback({ content: 'no JSON' }))).toBe('CALLBACK_CONTENT');
});

test('the acknowledgement is the documented one', () => {
  expect(callbackAcknowledgement).toEqual({ response: { code: '000_000', description: 'Success.' } });
});
