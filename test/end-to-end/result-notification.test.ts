import { eq } from 'drizzle-orm';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { notificationWorkflowId } from '../../contract/registration.ts';
import { resultNotifications } from '../../database/schema.ts';
import { sweep } from '../../runs/sweep.ts';
import { createLog } from '../../runtime/log.ts';
import { createNotificationSender } from '../../notifications/notification-sender.ts';
import { findUrlObstacle, isPublic } from '../../notifications/notification-url.ts';
import type {
  NotificationSender,
  NotificationSenderOptions,
} from '../../notifications/notification-sender.ts';
import { testRegistrationNumber, verifyNotification } from '../../client/index.ts';
import { createOpenapiDocument } from '../../wire/openapi-document.ts';
import { acknowledgement, startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import type { NotificationReceiver } from '../fixtures/notification-receiver.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { callEncrypted, decrypt, registration, untilEnded } from '../fixtures/wire-client.ts';
import type { Project } from '../fixtures/wire-client.ts';

let stack: Stack;
let project: Project;
let receiver: NotificationReceiver;
let member = 0;
beforeAll(async () => {
  stack = await startStack();
  project = stack.projects[1];
});
afterAll(() => stack.close());
beforeEach(async () => {
  receiver = await startNotificationReceiver();
  await setNotificationUrl(receiver.url);
});
afterEach(() => receiver.close());

const setNotificationUrl = (notificationUrl: string | null) =>
  fetch(`${stack.url}/sandbox/projects/${project.aspId}/callback`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ callbackUrl: notificationUrl }),
  });

async function register(ofMember: number, overrides: Readonly<Record<string, unknown>> = {}) {
  const request = registration(project, ofMember, overrides);
  const { body } = await callEncrypted(stack.url, project, '/ars/register', request);
  const regNo = String(body['bankAccRegNo']);
  await untilEnded(stack.url, project, regNo);
  return regNo;
}

async function verified(index: number) {
  const { headers, body } = receiver.received[index]!;
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  return await verifyNotification({ ...project, headers: given, body });
}

const notificationOf = async (regNo: string, userId: string) =>
  (
    await stack.database.queries
      .select()
      .from(resultNotifications)
      .where(eq(resultNotifications.userId, userId))
  ).find((row) => row.registrationNumber === regNo);

describe('the notification', () => {
  it('reports each end, signed, encrypted and numbered per member', async () => {
    const { userId } = project.members[++member]!;
    const numbers = [await register(member), await register(member, { bankAccount: '11012349002' })];
    await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBe(2);
    expect(await verified(0)).toMatchObject({
      bankAccRegNo: numbers[0],
      userId,
      status: 'BANK_ACC_REGISTERED',
      response: { code: '000_000' },
      sequence: 1,
    });
    expect(await verified(1)).toMatchObject({
      bankAccRegNo: numbers[1],
      status: 'BANK_ACC_REG_FAILED',
      response: { code: '002_015' },
      sequence: 2,
    });
    const { headers } = receiver.received[0]!;
    expect(headers['x-km-access-key']).toBeUndefined();
    expect(headers['x-km-crypto-key-id']).toBe(project.cryptoKeyId);
    await expect
      .poll(() => notificationOf(numbers[1]!, userId), { timeout: 5_000 })
      .toMatchObject({ state: 'DELIVERED', deliveries: 1 });
  });

  it('has the headers and the content that the OpenAPI document describes', async () => {
    const { webhooks, components } = createOpenapiDocument();
    const { parameters } = webhooks.resultNotification.post;
    await register(++member, { bankAccount: '11012349002' });
    await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBe(1);
    const { headers, body } = receiver.received[0]!;
    expect(Object.keys(headers).filter((name) => name.startsWith('x-km-'))).toEqual(
      parameters.map(({ name }) => name.toLowerCase()),
    );
    for (const { name, schema } of parameters) {
      expect(headers[name.toLowerCase()]).toMatch(new RegExp((schema['pattern'] as string) ?? ''));
    }
    const { encData } = JSON.parse(body.toString()) as { encData: string };
    const content: unknown = JSON.parse(await decrypt(encData, project));
    const described = { ...components.schemas.ResultNotification, additionalProperties: false };
    const schema = JSON.stringify({ ...described, $defs: components.schemas });
    const alone = JSON.parse(
      schema.replaceAll('#/components/schemas/', '#/$defs/'),
    ) as z.core.JSONSchema.JSONSchema;
    expect(z.fromJSONSchema(alone).parse(content)).toEqual(content);
  });

  it('is delivered again until it is acknowledged with 000_000', async () => {
    const { userId } = project.members[++member]!;
    receiver.answerWith(
      { status: 500 },
      { status: 200, body: 'ok' },
      { status: 200, body: '{"response":{"code":"000_990","description":"Not now."}}' },
      { status: 302, headers: { location: '/' } },
      acknowledgement,
    );
    const regNo = await register(member);
    await expect
      .poll(() => notificationOf(regNo, userId), { timeout: 20_000 })
      .toMatchObject({ state: 'DELIVERED', deliveries: 5 });
    expect(receiver.received).toHaveLength(5);
    expect(await verified(4)).toEqual(await verified(0));
  });

  it.for([
    [201, ''],
    [202, '\uFEFF'],
    [299, ''],
  ] as const)(
    'is acknowledged by HTTP %d, with what some frameworks write before the body: "%s"',
    async ([status, mark]) => {
      receiver.answerWith({ status, body: mark + acknowledgement.body });
      const ofMember = ++member;
      const regNo = await register(ofMember);
      const { userId } = project.members[ofMember]!;
      await expect
        .poll(async () => (await notificationOf(regNo, userId))?.state, { timeout: 20_000 })
        .toBe('DELIVERED');
      expect(receiver.received).toHaveLength(1);
    },
  );

  it('waits while its project is not active, and is sent once it is again', async () => {
    const parts = { ...stack, log: createLog('sweep', 'silent') };
    const ofMember = ++member;
    receiver.answerWith({ status: 500 });
    const regNo = await register(ofMember);
    const { userId } = project.members[ofMember]!;
    await expect.poll(() => receiver.received.length, { timeout: 20_000 }).toBeGreaterThan(0);
    await stack.stores.projects.setState(project.aspId, 'INACTIVE');
    const run = stack.temporal.workflow.getHandle(notificationWorkflowId(regNo));
    await expect.poll(async () => (await run.describe()).status.name, { timeout: 30_000 }).toBe('COMPLETED');
    expect(await run.result()).toBe('HELD');
    const { length } = receiver.received;
    await sweep(parts);
    expect(await run.describe()).toMatchObject({ status: { name: 'COMPLETED' } });
    expect((await notificationOf(regNo, userId))!.state).toBe('PENDING');

    receiver.answerWith(acknowledgement);
    await stack.stores.projects.setState(project.aspId, 'ACTIVE');
    await sweep(parts);
    await expect
      .poll(async () => (await notificationOf(regNo, userId))?.state, { timeout: 20_000 })
      .toBe('DELIVERED');
    expect(receiver.received).toHaveLength(length + 1);
  });

  it('waits as long as Retry-After asks', async () => {
    receiver.answerWith({ status: 503, headers: { 'retry-after': '3' } }, acknowledgement);
    await register(++member);
    await expect.poll(() => receiver.received.length, { timeout: 15_000 }).toBe(2);
    expect(receiver.received[1]!.at - receiver.received[0]!.at).toBeGreaterThanOrEqual(3_000);
  });

  it('stops at 410', async () => {
    const { userId } = project.members[++member]!;
    receiver.answerWith({ status: 410 });
    const regNo = await register(member);
    await expect
      .poll(() => notificationOf(regNo, userId), { timeout: 10_000 })
      .toMatchObject({ state: 'GONE', deliveries: 1 });
  });

  it('is neither sent nor numbered without a notification URL', async () => {
    const { userId } = project.members[++member]!;
    await setNotificationUrl(null);
    await register(member);
    await setNotificationUrl(receiver.url);
    await register(member);
    await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBe(1);
    expect(await verified(0)).toMatchObject({ userId, sequence: 1 });
  });
});

describe('a test notification', () => {
  const sendTest = async (aspId = project.aspId) => {
    const response = await fetch(`${stack.url}/sandbox/projects/${aspId}/test-notification`, {
      method: 'POST',
    });
    return [response.status, await response.json()];
  };

  it('is signed and encrypted like any other, marked, and recorded nowhere', async () => {
    const recorded = () => stack.database.queries.$count(resultNotifications);
    const before = await recorded();
    expect(await sendTest()).toEqual([200, { acknowledged: true, answer: 200 }]);
    expect(await verified(0)).toEqual({
      bankAccRegNo: testRegistrationNumber,
      userId: '0',
      status: 'BANK_ACC_REG_FAILED',
      response: { code: '002_914', description: 'Bank account register was cancelled.' },
      sequence: 0,
      occurredAt: expect.any(String),
    });
    expect(await recorded()).toBe(before);
  });

  it('is sent once, and the answer says what the receiver said', async () => {
    receiver.answerWith({ status: 503 }, { status: 200, body: 'ok' });
    expect(await sendTest()).toEqual([200, { acknowledged: false, answer: 503 }]);
    expect(await sendTest()).toEqual([200, { acknowledged: false, answer: 200 }]);
    expect(receiver.received).toHaveLength(2);
    receiver.close();
    expect(await sendTest()).toEqual([
      200,
      { acknowledged: false, answer: expect.stringMatching(/^ECONN|^UND_ERR/) },
    ]);
  });

  it('is refused without a notification URL, for an unknown project, and for one that is not active', async () => {
    await setNotificationUrl(null);
    expect(await sendTest()).toEqual([409, { error: expect.stringContaining('no notification URL') }]);
    expect(await sendTest('NOSUCHPROJECT01')).toEqual([404, { error: expect.any(String) }]);
    await setNotificationUrl(receiver.url);
    await stack.stores.projects.setState(project.aspId, 'INACTIVE');
    await expect.poll(() => sendTest()).toEqual([409, { error: expect.stringContaining('not active') }]);
    await stack.stores.projects.setState(project.aspId, 'ACTIVE');
    await expect.poll(() => sendTest()).toEqual([200, { acknowledged: true, answer: 200 }]);
  });
});

describe('where notifications go', () => {
  const empty = { headers: {}, body: '{}' };

  it.for([
    'not a url',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
    'http://user:password@127.0.0.1/',
    'http://10.0.0.1/',
    7,
  ])('refuses %s as a URL', async (notificationUrl) => {
    expect((await setNotificationUrl(notificationUrl as string)).status).toBe(400);
  });

  it('connects to no address that is not public, given as an IP address or a host name', async () => {
    let asked = '';
    const connections: string[] = [];
    const listener = createServer((socket) => {
      connections.push(asked);
      socket.destroy();
    });
    await new Promise<void>((done) => listener.listen(0, '::', done));
    const { port } = listener.address() as AddressInfo;
    // The addresses to which the name resolves when the connection is opened.
    const resolve: NotificationSenderOptions['resolve'] = (_hostname, _options, notification) => {
      notification(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const sandbox = createNotificationSender({ allowLoopback: true, resolve });
    const production = createNotificationSender({ allowLoopback: false, resolve, ports: [port] });
    const send = async (sender: NotificationSender, host: string) => {
      asked = host;
      const answer = await sender.send(`https://${host}:${port}/`, empty);
      expect([host, answer]).toEqual([host, { reached: false, reason: expect.any(String) }]);
    };

    const ours = ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', 'provider.test'];
    for (const host of ours) await send(sandbox, host);
    expect(connections).toEqual(ours);
    for (const host of [...ours, '0.0.0.0', '[::]']) await send(production, host);
    expect(connections).toEqual(ours);

    await Promise.all([sandbox.close(), production.close()]);
    await new Promise((done) => listener.close(done));
  });

  it.for([
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    'fd00::1',
    'fe80::1',
    // One address of each block in IANA's registries of special-purpose addresses that is not globally reachable.
    '0.0.0.1',
    '127.0.0.1',
    '192.0.0.1',
    '192.0.0.170',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '100::1',
    '100:0:0:1::1',
    '2001::1',
    '2001:2::1',
    '2001:1ff::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '5f00::1',
    // Multicast, obsolete, and never given out.
    '224.0.0.1',
    'ff02::1',
    'fec0::1',
    '::7f00:1',
    '4000::1',
    '8000::1',
    'f000::1',
  ])('treats %s as not public', (address) => {
    expect(isPublic(address)).toBe(false);
    const host = address.includes(':') ? `[${address}]` : address;
    expect(findUrlObstacle(`https://${host}/`, { allowLoopback: false })).toBe('no public address');
  });

  it.for(['8.8.8.8', '1.1.1.1', '2001:4860:4860::8888', '2606:4700:4700::1111'])(
    'treats %s as public',
    (address) => {
      expect(isPublic(address)).toBe(true);
    },
  );

  it.for([
    ['http://provider.example/', 'not https'],
    ['https://user@provider.example/', 'user info'],
    ['https://:password@provider.example/', 'user info'],
    ['https://provider.example:22/', 'port'],
    ['https://provider.example:8080/', 'port'],
    ['https://provider.example/', undefined],
    ['https://provider.example:443/', undefined],
    ['https://provider.example:8443/', undefined],
  ] as const)('judges %s: %s', ([url, obstacle]) => {
    expect(findUrlObstacle(url, { allowLoopback: false })).toBe(obstacle);
  });

  it('connects to loopback in the sandbox only, and to no other private address', async () => {
    const sender = createNotificationSender({ allowLoopback: true });
    expect(await sender.send(receiver.url, empty)).toMatchObject({ reached: true, status: 200 });
    expect(await sender.send(receiver.url.replace('127.0.0.1', 'localhost'), empty)).toMatchObject({
      reached: true,
    });
    expect(await sender.send('http://10.0.0.1/', empty)).toEqual({
      reached: false,
      reason: 'no public address',
    });
    await sender.close();
  });
});
