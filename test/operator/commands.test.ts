import { eq } from 'drizzle-orm';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { resultNotifications } from '../../database/schema.ts';
import { verifyNotification } from '../../client/index.ts';
import { notificationWorkflowId, memberWorkflowId } from '../../contract/registration.ts';
import { PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import { impatientPolicy } from '../fixtures/impatient-policy.ts';
import { acknowledgement, startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import { operate as operateOn } from '../fixtures/operate.ts';
import { startGroup } from '../processes/process-group.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import type { PaymentGatewayFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, callEncrypted, registration, untilEnded } from '../fixtures/wire-client.ts';
import type { Project } from '../fixtures/wire-client.ts';

const directory = mkdtempSync(join(tmpdir(), 'operator-'));
let stack: Stack;
let impatientApi: string;
let project: Project;
/** What the payment gateway does instead of the simulator. */
let faults: PaymentGatewayFaults = {};
let nextMember = 0;

beforeAll(async () => {
  stack = await startStack({ intercept: injectFaults(() => faults) });
  // Stops delivering a notification after one attempt.
  impatientApi = await stack.startAnotherApi({
    policy: { ...impatientPolicy, resultNotification: { waits: [0] } },
  });
  project = stack.projects[0];
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await stack.close();
});

const operate = (...words: readonly string[]) => operateOn(stack, ...words);

/** Writes a file for the operator. @returns its path */
function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

async function register(api: string, overrides: Readonly<Record<string, unknown>> = {}) {
  const request = registration(project, nextMember++, overrides);
  const { body } = await call(api, project, '/ars/register', request);
  return { userId: String(request['userId']), number: String(body['bankAccRegNo']) };
}

describe('a registration in REVIEW', () => {
  const signed = ['--reason', 'seen in the payment gateway’s ledger'];
  const resolve = (number: string, verdict: string, ...words: readonly string[]) =>
    operate('resolve', '--number', number, '--verdict', verdict, ...signed, ...words);

  /** Brings a member's registration into REVIEW. */
  async function reachReview() {
    const unavailable = () => Promise.reject(new PaymentGatewayUnavailable('The test makes it unavailable.'));
    faults = { register: unavailable, inquireRegistration: unavailable };
    onTestFinished(() => {
      faults = {};
    });
    const run = await register(impatientApi);
    await expect
      .poll(async () => (await operate('reviews')).output, { timeout: 30_000 })
      .toContain(run.number);
    return run;
  }

  it('does not occur when nothing fails', async () => {
    expect(await operate('reviews')).toEqual({
      exitCode: 0,
      output: 'No registration is waiting in REVIEW.',
      errors: '',
    });
  });

  it.for([
    ['REGISTERED', { status: 200, body: { status: 'BANK_ACC_REGISTERED' } }],
    ['NOT_REGISTERED', { body: { status: 'BANK_ACC_REG_FAILED', response: { code: '002_912' } } }],
  ] as const)('is listed, and resolved as %s', async ([verdict, ending]) => {
    const { userId, number } = await reachReview();
    const { output } = await operate('reviews');
    const line = output.split('\n').find((candidate) => candidate.startsWith(number));
    expect(line).toMatch(
      new RegExp(
        `^${number}  ${userId}  +003 IBK  +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC  REVIEW_BEGUN UNKNOWN$`,
      ),
    );

    const resolved = await resolve(number, verdict, '--despite-payment-gateway');
    expect(resolved).toMatchObject({ exitCode: 0, errors: '' });
    expect(await untilEnded(stack.url, project, number)).toMatchObject(ending);
    await stack.temporal.workflow.getHandle(memberWorkflowId(userId)).result();
    expect(await resolve(number, verdict)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('has ended: nothing is left to decide'),
    });
  });

  it('is listed while no worker runs', async () => {
    const { number } = await reachReview();
    await stack.stopWorker();
    const { output } = await operate('reviews');
    await stack.startWorker();
    expect(output).toMatch(new RegExp(`^${number}.* UTC  REVIEW_BEGUN UNKNOWN$`, 'm'));
    expect(await resolve(number, 'NOT_REGISTERED')).toMatchObject({ exitCode: 0 });
  });

  it('can only be resolved in REVIEW', async () => {
    const { number } = await register(stack.url, { mobileNumber: '01012340008' });
    await expect
      .poll(async () => await resolve(number, 'REGISTERED'), { timeout: 10_000 })
      .toMatchObject({ exitCode: 1, errors: expect.stringMatching(/not in REVIEW but in ARS_CALL/) });
    await call(stack.url, project, '/ars/register/cancel', { regNo: number, action: 'cancel' });
  });

  it('is only looked up by a valid registration number', async () => {
    for (const number of ['', '1', `${'A'.repeat(21)}"`, `${'A'.repeat(22)}" OR "" = "`, 'a'.repeat(22)]) {
      expect(await resolve(number, 'REGISTERED')).toMatchObject({ exitCode: 2, output: '' });
    }
    expect(await resolve('A'.repeat(22), 'MAYBE')).toMatchObject({ exitCode: 2 });
  });
});

describe('show', () => {
  const show = async (number: string) => {
    const { exitCode, output, errors } = await operate('show', '--number', number);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    return output;
  };
  const expectScreen = (number: string, ...texts: readonly (RegExp | string)[]) =>
    expect
      .poll(
        async () => {
          const screen = await show(number);
          return texts.filter((text) =>
            typeof text === 'string' ? !screen.includes(text) : !text.test(screen),
          );
        },
        { timeout: 20_000 },
      )
      .toEqual([]);
  const nothingToDo = /^you can +wait: nothing needs to be done$/m;
  const cancel = (number: string) =>
    call(stack.url, project, '/ars/register/cancel', { regNo: number, action: 'cancel' });

  it('a registration that waits for its call', async () => {
    const { userId, number } = await register(stack.url, { mobileNumber: '01012340008' });
    await expectScreen(
      number,
      `registration  ${number} of member ${userId}, ${project.aspId}, at 003 IBK`,
      /^request +\d{12}-[0-9a-f]{7}, accepted /m,
      /^stands +ARS_AUTH_IN_PROGRESS, in ARS_CALL$/m,
      /^waits for +the outcome of call 1, \S+, by callback$/m,
      /^until +20\d\d-\S+ \S+ UTC$/m,
      /^then +the payment gateway is asked again; at .* UTC the call counts as failed$/m,
      /^last said +ARS_CALL_PLACED PLACED, /m,
      `RUNNING, http://localhost:8233/namespaces/default/workflows/${userId}`,
      nothingToDo,
    );
    const row = await stack.stores.registrations.findAny(number);
    for (const words of [
      ['--user', userId],
      ['--correlation', row!.correlationId!],
    ])
      expect((await operate('show', ...words)).output).toContain(`registration  ${number} `);

    await stack.temporal.workflow.getHandle(memberWorkflowId(userId)).terminate();
    await expectScreen(number, /^run +TERMINATED, /m, `npm run operator -- resume --number ${number}`);
    await cancel(number);
    await expectScreen(number, /^ended +BANK_ACC_REG_FAILED since .*: 002_914 /m, nothingToDo);
  });

  it('a registration that waits for calling hours', async () => {
    const hour = 3_600_000;
    const [from, until] = [11, 12].map((hours) => (Date.now() + hours * hour) % (24 * hour)) as [
      number,
      number,
    ];
    const arsCall = { ...impatientPolicy.arsCall, callingHours: { from, until } };
    const { number } = await register(
      await stack.startAnotherApi({ policy: { ...impatientPolicy, arsCall } }),
    );
    await expectScreen(
      number,
      /^waits for +the hours in which members may be called$/m,
      /^until +20/m,
      nothingToDo,
    );
    await cancel(number);
  });

  it('a registration that waits for a maintenance window', async () => {
    const times = [-1, 1].map((hours) => new Date(Date.now() + hours * 3_600_000).toISOString());
    await operate('bank-window', 'add', '--bank', '088', '--from', times[0]!, '--until', times[1]!);
    const [{ bankWindowId: id } = { bankWindowId: 0 }] = await stack.stores.bankWindows.list('088');
    const { number } = await register(stack.url, { bankCode: '088' });
    await expectScreen(
      number,
      /^waits for +the end of the bank’s maintenance$/m,
      /^then +the step is tried again; if that lasts until .* UTC, the registration fails$/m,
      `npm run operator -- bank-window remove --id ${id}`,
    );
    await operate('bank-window', 'remove', '--id', String(id));
    await cancel(number);
  });

  it('a registration in REVIEW', async () => {
    const unavailable = () => Promise.reject(new PaymentGatewayUnavailable('The test makes it unavailable.'));
    faults = { register: unavailable, inquireRegistration: unavailable };
    onTestFinished(() => {
      faults = {};
    });
    const { number } = await register(impatientApi);
    await expectScreen(
      number,
      /^stands +ARS_AUTH_DONE, in REVIEW$/m,
      /^waits for +an operator’s verdict, or the payment gateway’s/m,
      `npm run operator -- resolve --number ${number} --verdict REGISTERED|NOT_REGISTERED --reason <text>`,
    );
    await operate(
      'resolve',
      '--number',
      number,
      '--verdict',
      'NOT_REGISTERED',
      '--reason',
      'a test',
      '--despite-payment-gateway',
    );
    await expectScreen(number, /^ended +BANK_ACC_REG_FAILED since .*: 002_912 /m);
  });

  it('a registered account, its notification that is repeated, and its removal that waits', async () => {
    const receiver = await startNotificationReceiver();
    receiver.answerWith({ status: 503 });
    await stack.stores.projects.setNotificationUrl(project.aspId, receiver.url);
    const unavailable = () => Promise.reject(new PaymentGatewayUnavailable('The test makes it unavailable.'));
    faults = { removeRegistration: unavailable };
    onTestFinished(async () => {
      faults = {};
      receiver.close();
      await stack.stores.projects.setNotificationUrl(project.aspId, null);
    });
    const { userId, number } = await register(stack.url);
    await expectScreen(
      number,
      /^ended +BANK_ACC_REGISTERED since .*: 000_000 /m,
      /^account +ACTIVE$/m,
      /^notification +PENDING after [1-9]\d* deliveries, next delivery .* UTC; RUNNING, /m,
      `npm run operator -- redeliver --number ${number}`,
    );
    await call(stack.url, project, '/delete', { userId });
    await expectScreen(
      number,
      /^account +DELETED$/m,
      /^removal +waits for the payment gateway, .*; removeAccount attempt [2-9]\d*, PaymentGatewayUnavailable/m,
    );
    faults = {};
    await expectScreen(number, /^account +REMOVED$/m, /^removal +done /m);
    // Otherwise it is delivered to the receiver of another test.
    receiver.answerWith(acknowledgement);
    await operate('redeliver', '--number', number);
    await expectScreen(number, /^notification +DELIVERED /m);
  });

  it('is asked for exactly one thing, which must exist', async () => {
    expect(await operate('show')).toMatchObject({ exitCode: 2 });
    expect(await operate('show', '--user', '1', '--number', 'A'.repeat(22))).toMatchObject({ exitCode: 2 });
    expect(await operate('show', '--correlation', 'hong gildong')).toMatchObject({ exitCode: 2 });
    for (const words of [
      ['--number', 'A'.repeat(22)],
      ['--user', '999'],
      ['--correlation', '261122093005-fffffff'],
    ])
      expect(await operate('show', ...words)).toMatchObject({ exitCode: 1, output: '' });
  });
});

describe('redeliver', () => {
  async function startReceiver() {
    const receiver = await startNotificationReceiver();
    onTestFinished(() => {
      receiver.close();
    });
    await stack.stores.projects.setNotificationUrl(project.aspId, receiver.url);
    return receiver;
  }

  const notificationOf = async (userId: string) =>
    (
      await stack.database.queries
        .select()
        .from(resultNotifications)
        .where(eq(resultNotifications.userId, userId))
    )[0];
  const redeliver = (number: string) => operate('redeliver', '--number', number);

  it.for([
    ['GONE', 410],
    ['EXHAUSTED', 500],
  ] as const)(
    'delivers a notification that is %s again, with the same sequence number',
    async ([state, status]) => {
      const receiver = await startReceiver();
      receiver.answerWith({ status }, acknowledgement);
      const { userId, number } = await register(impatientApi);
      await expect
        .poll(() => notificationOf(userId), { timeout: 30_000 })
        .toMatchObject({ state, deliveries: 1 });
      await stack.temporal.workflow.getHandle(notificationWorkflowId(number)).result();

      expect(await redeliver(number)).toMatchObject({ exitCode: 0, errors: '' });
      await expect
        .poll(() => notificationOf(userId), { timeout: 10_000 })
        .toMatchObject({ state: 'DELIVERED', deliveries: 2 });
      const notifications = await Promise.all(
        receiver.received.map(({ headers, body }) => {
          const given = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
          return verifyNotification({ ...project, headers: Object.fromEntries(given), body });
        }),
      );
      expect(notifications).toHaveLength(2);
      expect(notifications[1]).toEqual(notifications[0]);
      expect(notifications[1]).toMatchObject({ bankAccRegNo: number, sequence: 1 });
    },
  );

  it('delivers as often as the policy of the registration says', async () => {
    const receiver = await startReceiver();
    receiver.answerWith({ status: 500 });
    const url = await stack.startAnotherApi({
      policy: { ...impatientPolicy, resultNotification: { waits: [0, 0] } },
    });
    const { userId, number } = await register(url);
    const delivered = () => stack.temporal.workflow.getHandle(notificationWorkflowId(number)).result();
    await expect.poll(() => notificationOf(userId), { timeout: 30_000 }).toMatchObject({ deliveries: 2 });
    expect(await delivered()).toBe('EXHAUSTED');

    await redeliver(number);
    expect(await delivered()).toBe('EXHAUSTED');
    expect(await notificationOf(userId)).toMatchObject({ state: 'EXHAUSTED', deliveries: 4 });
  });

  it('delivers at once what waits for a later delivery, and refuses without a notification URL', async () => {
    const receiver = await startReceiver();
    receiver.answerWith({ status: 503, headers: { 'retry-after': '600' } }, acknowledgement);
    const { userId, number } = await register(stack.url);
    await expect.poll(() => notificationOf(userId), { timeout: 30_000 }).toMatchObject({ deliveries: 1 });
    expect(await redeliver(number)).toMatchObject({ exitCode: 0 });
    await expect
      .poll(() => notificationOf(userId), { timeout: 10_000 })
      .toMatchObject({ state: 'DELIVERED', deliveries: 2 });

    await stack.stores.projects.setNotificationUrl(project.aspId, null);
    expect(await redeliver(number)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('no notification URL now'),
    });
  });

  it('refuses when there is no notification', async () => {
    expect(await redeliver('A'.repeat(22))).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('has no notification'),
    });
  });
});

describe('notification-url', () => {
  it('sets and removes the URL for results', async () => {
    const url = 'https://provider.example/results';
    const set = (...words: readonly string[]) =>
      operate('notification-url', '--asp', stack.projects[1].aspId, ...words);
    expect(await set('--url', url)).toMatchObject({ exitCode: 0, output: expect.stringContaining(url) });
    expect(await set('--off')).toMatchObject({ exitCode: 0 });
    expect(await set()).toMatchObject({ exitCode: 2 });
    expect(await set('--url', url, '--off')).toMatchObject({ exitCode: 2 });
    expect(await set('--url', 'http://provider.example/results')).toMatchObject({ exitCode: 2 });
    expect(await operate('notification-url', '--asp', 'NOSUCHPROVIDER1', '--off')).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('no project NOSUCHPROVIDER1'),
    });
  });
});

describe('test-notification', () => {
  const sendTest = (aspId = project.aspId) => operate('test-notification', '--asp', aspId);

  it('says how the receiver answered', async () => {
    const receiver = await startNotificationReceiver();
    onTestFinished(() => {
      receiver.close();
    });
    await stack.stores.projects.setNotificationUrl(project.aspId, receiver.url);
    expect(await sendTest()).toEqual({
      exitCode: 0,
      output: `${receiver.url} acknowledged a test notification (HTTP 200).`,
      errors: '',
    });
    receiver.answerWith({ status: 404 });
    expect(await sendTest()).toMatchObject({
      exitCode: 1,
      output: '',
      errors: expect.stringContaining('did not acknowledge it (HTTP 404)'),
    });
    expect(receiver.received).toHaveLength(2);
  });

  it('refuses without a notification URL, and for an unknown project', async () => {
    await stack.stores.projects.setNotificationUrl(project.aspId, null);
    expect(await sendTest()).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('has no notification URL. Set one first'),
    });
    expect(await sendTest('NOSUCHPROVIDER1')).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('no project NOSUCHPROVIDER1'),
    });
  });
});

describe('a project', () => {
  const client = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

  const add = (aspId: string, ...options: readonly string[]) => {
    const path = file('client.pem', client.publicKey);
    return operate('project', 'add', '--asp', aspId, '--client-public-key', path, ...options);
  };

  async function addProject(aspId: string, ...options: readonly string[]): Promise<Project> {
    const { exitCode, output } = await add(aspId, ...options);
    expect(exitCode).toBe(0);
    const handedOver = JSON.parse(output) as Project;
    const names = ['aspId', 'accessKey', 'secretKey', 'cryptoKeyId', 'serverPublicKey'];
    expect(Object.keys(handedOver)).toEqual(names);
    return { ...handedOver, clientPrivateKey: client.privateKey, members: [] };
  }

  const member = { userName: '김하늘', birthDate: '19900131', mobileNumber: '010-1234-1234' };
  const addMembers = (aspId: string, ...lines: readonly unknown[]) => {
    const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
    return operate('member', 'add', '--asp', aspId, '--file', file('members.jsonl', texts.join('\n')));
  };

  it('can call with the keys it was given, and its members can register', async () => {
    const added = await addProject('OPERATORASP0001');
    expect((await call(stack.url, added, '/institutions', {})).body.response.code).toBe('000_000');

    // More digits than a JavaScript number can hold.
    const line = `{"userId":90000000000000000001,${JSON.stringify(member).slice(1)}`;
    const onMac = { ...member, userId: '90000000002', userName: `${member.userName.normalize('NFD')} ` };
    expect(await addMembers(added.aspId, line, onMac)).toMatchObject({
      exitCode: 0,
      output: 'Members of OPERATORASP0001 added: 2; already present and unchanged: 0.',
    });
    const { mobileNumber: _, ...holder } = member;
    const check = { ...holder, userId: '90000000000000000001', bankCode: '003', bankAccount: '11012345678' };
    expect((await call(stack.url, added, '/user/valid', check)).body.response.code).toBe('000_906');
    expect((await callEncrypted(stack.url, added, '/user/valid', check)).body.response.code).toBe('000_000');
    const ofMac = { ...check, userId: onMac.userId };
    expect((await callEncrypted(stack.url, added, '/user/valid', ofMac)).body.response.code).toBe('000_000');
    const another = { ...check, userName: '남하늘' };
    expect((await callEncrypted(stack.url, added, '/user/valid', another)).body.response.code).toBe(
      '002_911',
    );
  });

  it('can be added without mandatory encryption and without the holder check', async () => {
    const added = await addProject('OPERATORASP0002', '--plain-allowed', '--any-holder');
    await addMembers(added.aspId, { ...member, userId: '90000000003' });
    const check = { userName: '남하늘', birthDate: '19850505', userId: '90000000003', bankCode: '003' };
    const answer = await call(stack.url, added, '/user/valid', { ...check, bankAccount: '11012345678' });
    expect(answer.body.response.code).toBe('000_000');
  });

  it('that accepts plain bodies is added with a warning of what that means', async () => {
    const { errors } = await add('OPERATORASP0021', '--plain-allowed');
    expect(errors).toMatch(
      /^Project OPERATORASP0021 accepts plain bodies\. .*send it again.*deletes the account\.$/,
    );
  });

  it('registers at all institutions once it is set so', async () => {
    const added = await addProject('OPERATORASP0020');
    await addMembers(added.aspId, { ...member, userId: '90000000031' });
    const { mobileNumber: _, ...holder } = member;
    const check = { ...holder, userId: '90000000031', bankCode: '264', bankAccount: '11012345678' };
    const codeOf = async () =>
      (await callEncrypted(stack.url, added, '/user/valid', check)).body.response.code;
    expect(await codeOf()).toBe('000_002');
    const set = (accepted: string) =>
      operate('project', 'institutions', '--asp', added.aspId, '--accepted', accepted);
    expect(await set('ALL')).toMatchObject({ exitCode: 0 });
    await expect.poll(codeOf).toBe('000_000');
    expect(await set('BANKS')).toMatchObject({ exitCode: 0 });
    await expect.poll(codeOf).toBe('000_002');
    expect(await set('SOME')).toMatchObject({ exitCode: 2 });
  });

  it('is added only once', async () => {
    const added = await addProject('OPERATORASP0003');
    expect(await add('OPERATORASP0003')).toMatchObject({
      exitCode: 1,
      output: '',
      errors: expect.stringContaining('already exists'),
    });
    expect((await call(stack.url, added, '/institutions', {})).body.response.code).toBe('000_000');
  });

  it('is added only with a public key of the client', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    for (const [content, reason] of [
      [client.privateKey, 'private key'],
      [weak.export({ type: 'spki', format: 'pem' }), 'no RSA public key'],
      [curve.export({ type: 'spki', format: 'pem' }), 'no RSA public key'],
      ['no key', 'no RSA public key'],
    ] as const) {
      const words = ['--asp', 'OPERATORASP0004', '--client-public-key', file('bad.pem', content)];
      const { exitCode, output, errors } = await operate('project', 'add', ...words);
      expect({ exitCode, output, errors }).toEqual({
        exitCode: 1,
        output: '',
        errors: expect.stringContaining(reason),
      });
    }
    expect(await stack.stores.projects.find('OPERATORASP0004')).toBeUndefined();
    const missing = ['--client-public-key', join(directory, 'missing.pem')];
    expect(await operate('project', 'add', '--asp', 'OPERATORASP0004', ...missing)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('ENOENT'),
    });
    expect(await add('TOOSHORT')).toMatchObject({ exitCode: 2 });
  });

  it('accepts a public key in PKCS #1', async () => {
    const path = file('pkcs1.pem', pkcs1Of(client.publicKey));
    const words = ['--asp', 'OPERATORASP0005', '--client-public-key', path];
    expect(await operate('project', 'add', ...words)).toMatchObject({ exitCode: 0 });
    const stored = await stack.stores.projects.find('OPERATORASP0005');
    const storedKey = stored?.cryptoKeys[0]?.clientPublicKey;
    expect(storedKey?.export({ type: 'spki', format: 'pem' })).toBe(client.publicKey);
  });

  it('rotates its keys without a refused request', async () => {
    const first = await addProject('OPERATORASP0009');
    const userId = '90000000007';
    await addMembers(first.aspId, { ...member, userId });
    const renew = () =>
      operate(
        'project',
        'renew-keys',
        '--asp',
        first.aspId,
        '--client-public-key',
        file('client.pem', client.publicKey),
      );
    const retire = () => operate('project', 'retire-keys', '--asp', first.aspId);
    expect(await retire()).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('only one set of keys'),
    });

    const { output } = await renew();
    const second: Project = {
      ...(JSON.parse(output) as Project),
      clientPrivateKey: client.privateKey,
      members: [],
    };
    expect(await renew()).toMatchObject({ exitCode: 1, errors: expect.stringContaining('two sets of keys') });

    const receiver = await startNotificationReceiver();
    onTestFinished(() => void receiver.close());
    await stack.stores.projects.setNotificationUrl(first.aspId, receiver.url);
    const request = {
      userId,
      userName: member.userName,
      birthDate: member.birthDate,
      bankAccount: '11012345678',
      bankCode: '003',
      bankName: 'IBK',
      mobileNumber: '01012341234',
    };
    const codeWith = async (keys: Project) =>
      (await callEncrypted(stack.url, keys, '/info', { userId })).body.response?.code ?? 'encrypted';
    const registerWith = async (keys: Project) => {
      const { body } = await callEncrypted(stack.url, keys, '/ars/register', request);
      expect((await untilEnded(stack.url, keys, String(body['bankAccRegNo']))).body['status']).toBe(
        'BANK_ACC_REGISTERED',
      );
      await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBeGreaterThan(0);
      return receiver.received.splice(0)[0]!.headers['x-km-crypto-key-id'];
    };
    await expect.poll(() => codeWith(second), { timeout: 5_000 }).toBe('002_916');
    expect(await registerWith(second)).toBe(first.cryptoKeyId);
    expect(await codeWith(first)).toBe('encrypted');

    expect(await retire()).toMatchObject({ exitCode: 0, errors: '' });
    await expect.poll(() => codeWith(first), { timeout: 5_000 }).toBe('000_902');
    expect(await codeWith(second)).toBe('encrypted');
    expect(await registerWith(second)).toBe(second.cryptoKeyId);
  });

  it('can be deactivated and activated, until it is discarded', async () => {
    const added = await addProject('OPERATORASP0006');
    const setState = (state: string) => operate('project', 'state', '--asp', added.aspId, '--state', state);
    const expectCode = (code: string) =>
      expect
        .poll(async () => (await call(stack.url, added, '/institutions', {})).body.response.code, {
          timeout: 5_000,
        })
        .toBe(code);
    for (const [state, code] of [
      ['INACTIVE', '000_902'],
      ['ACTIVE', '000_000'],
      ['DISCARDED', '000_902'],
    ] as const) {
      expect(await setState(state)).toMatchObject({ exitCode: 0, errors: '' });
      await expectCode(code);
    }
    expect(await setState('DISCARDED')).toMatchObject({ exitCode: 0 });
    for (const state of ['ACTIVE', 'INACTIVE']) {
      expect(await setState(state)).toMatchObject({
        exitCode: 1,
        errors: expect.stringContaining('discarded permanently'),
      });
    }
    expect((await stack.stores.projects.find(added.aspId))?.state).toBe('DISCARDED');
    expect(await setState('active')).toMatchObject({ exitCode: 2 });
    expect(await operate('project', 'state', '--asp', 'NOSUCHPROVIDER1', '--state', 'ACTIVE')).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('no project'),
    });
  });

  describe('with members', () => {
    const aspId = 'OPERATORASP0007';
    beforeAll(() => addProject(aspId));

    it.for([
      ['text that is not JSON', 'secret', 'not a JSON object'],
      ['an array', '["secret"]', 'not a JSON object'],
      ['a missing field', { ...member, mobileNumber: undefined, userId: '1' }, 'mobileNumber'],
      ['a wrong birth date', { ...member, birthDate: '19900231', userId: '1' }, 'birthDate'],
      ['a birth date as a number', { ...member, birthDate: 19900131, userId: '1' }, 'birthDate'],
      ['a wrong ID', { ...member, userId: '01' }, 'userId'],
      [
        'a phone number of another country',
        { ...member, mobileNumber: '+15551234567', userId: '1' },
        'mobileNumber',
      ],
      ['an empty name', { ...member, userName: ' ', userId: '1' }, 'userName'],
      ['two wrong fields', { ...member, userName: '', userId: 'x' }, 'userId, userName'],
      ['an unknown field', { ...member, userId: '1', secret: 'secret' }, 'an unknown field'],
      ['a repeated ID', { ...member, userId: '90000000010' }, 'a userId that an earlier line has'],
      ['a member of another provider', { ...member, userId: '10000000001' }, 'another service provider'],
    ] as const)('rejects a whole file with %s, and quotes nothing', async ([, line, problem]) => {
      const good = { ...member, userId: '90000000010' };
      const { exitCode, output, errors } = await addMembers(aspId, good, '', line);
      expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' });
      expect(errors).toContain(`line 3 (`);
      expect(errors).toContain(problem);
      expect(errors).not.toMatch(/secret|김|1990|1234/);
      expect(await stack.stores.members.find(aspId, '90000000010')).toBeUndefined();
    });

    it('leaves present members unchanged', async () => {
      const first = { ...member, userId: '90000000020' };
      await addMembers(aspId, first);
      expect(
        await addMembers(aspId, { ...first, userName: '남하늘' }, { ...member, userId: '90000000021' }),
      ).toMatchObject({
        exitCode: 0,
        output: `Members of ${aspId} added: 1; already present and unchanged: 1.`,
      });
      const facts = { ...member, mobileNumber: '01012341234' };
      expect((await stack.stores.members.find(aspId, '90000000020'))?.facts).toEqual(facts);
    });

    it('needs a file of UTF-8 text with a member, and a project', async () => {
      const path = file('euc-kr.jsonl', Buffer.from([0xb1, 0xe8]));
      expect(await operate('member', 'add', '--asp', aspId, '--file', path)).toMatchObject({
        exitCode: 1,
        errors: expect.stringContaining('UTF-8'),
      });
      expect(await addMembers(aspId, '')).toMatchObject({ exitCode: 1 });
      expect(await addMembers('NOSUCHPROVIDER1', { ...member, userId: '1' })).toMatchObject({
        exitCode: 1,
        errors: expect.stringContaining('no project'),
      });
    });
  });
});

describe('the command line', () => {
  it.for([
    ['no command', [], 'A command is missing.'],
    ['an unknown command', ['project', 'remove'], 'no command "project remove"'],
    ['an unknown option', ['reviews', '--all'], '--all'],
    ['an option of another command', ['reviews', '--off'], 'does not accept --off'],
    ['options missing', ['resolve'], 'needs --number, --verdict, --reason'],
  ] as const)('ends with 2 for %s', async ([, words, problem]) => {
    const { exitCode, output, errors } = await operate(...words);
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' });
    expect(errors).toContain(problem);
    expect(errors).toMatch(/Try: npm run operator -- |^Commands:/m);
  });

  it('explains itself', async () => {
    const { exitCode, output } = await operate('--help');
    expect(exitCode).toBe(0);
    for (const name of [
      'reviews',
      'resolve',
      'reconcile',
      'redeliver',
      'notification-url',
      'project add',
      'member add',
    ]) {
      expect(output).toContain(`npm run operator -- ${name}`);
    }
  });
});

describe('the process', () => {
  const start = (words: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    startGroup(process.execPath, ['--import', 'tsx', 'operator/main.ts', ...words], environment);

  it.for([
    [['setup'], ['PAYLOAD_KEYS']],
    [
      ['notification-url', '--asp', 'OPERATORASP0001', '--off'],
      ['DATABASE_KEYS', 'DATABASE_URL', 'OPERATOR_TOKEN', 'PAYLOAD_KEYS'],
    ],
  ] as const)('of %s names the variables it lacks', async ([words, names]) => {
    const program = start(words);
    expect(await program.exited).toBe(1);
    const named = [...program.output().matchAll(/^ {2}([A-Z_]+)/gm)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set(names));
    expect(program.output()).not.toMatch(/^\s+at /m);
  });

  it('needs no variables to reject a wrong command line', async () => {
    expect(await start(['redeliver', '--number', '1']).exited).toBe(2);
  });

  it('connects to Temporal and exits', async () => {
    const environment = { PAYLOAD_KEYS: stack.payloadKeys, TEMPORAL_ADDRESS: stack.temporalAddress };
    const program = start(['setup'], environment);
    expect(await program.exited).toBe(0);
    expect(program.output()).toContain('The namespace default has all that the service needs.');
  });

  it.for([
    [['setup'], 'Temporal does not answer'],
    [
      ['notification-url', '--asp', 'OPERATORASP0001', '--off'],
      'The database does not answer (connect ECONNREFUSED',
    ],
  ] as const)('of %s says on one line what is unavailable', async ([words, problem]) => {
    const program = start(words, {
      PAYLOAD_KEYS: stack.payloadKeys,
      DATABASE_KEYS: stack.payloadKeys,
      DATABASE_URL: 'postgres://127.0.0.1:9/none',
      OPERATOR_TOKEN: 'any',
      TEMPORAL_ADDRESS: '127.0.0.1:9',
    });
    expect(await program.exited).toBe(1);
    expect(program.output().trimEnd().split('\n')).toEqual([expect.stringContaining(problem)]);
  });
});

/** A public key as PKCS #1. */
function pkcs1Of(publicKey: string): string {
  return createPublicKey(publicKey).export({ type: 'pkcs1', format: 'pem' }).toString();
}

describe('a bank’s maintenance windows', () => {
  it('are added, listed and removed', async () => {
    expect((await operate('bank-window', 'list')).output).toBe('No bank has a maintenance window.');
    const daily = await operate('bank-window', 'add', '--bank', '088', '--daily', '23:30-00:30');
    expect(daily).toMatchObject({ exitCode: 0, errors: '' });
    const from = ['--from', '2026-12-24T23:00+09:00', '--until', '2026-12-25T02:00+09:00'];
    expect(await operate('bank-window', 'add', '--bank', '004', ...from)).toMatchObject({ exitCode: 0 });
    const { output } = await operate('bank-window', 'list');
    expect(output).toMatch(
      /^\d+: 004 Kookmin from 2026-12-24T14:00:00.000Z until 2026-12-24T17:00:00.000Z$/m,
    );
    expect(output).toMatch(/^\d+: 088 Shinhan daily 23:30-00:30 in Korea$/m);
    for (const [id = ''] of output.matchAll(/^\d+/gm)) {
      expect(await operate('bank-window', 'remove', '--id', id)).toMatchObject({ exitCode: 0 });
    }
    expect((await operate('bank-window', 'list')).output).toBe('No bank has a maintenance window.');
  });

  it.for([
    [['--bank', '999', '--daily', '23:30-00:30'], '--bank must be one of 002, 003'],
    [['--bank', '088'], 'Give either --daily, or --from and --until.'],
    [['--bank', '088', '--daily', '23:30-24:30'], '--daily must be two times of day'],
    [
      ['--bank', '088', '--daily', '1:00-2:00', '--from', 'now'],
      'Give either --daily, or --from and --until.',
    ],
    [['--bank', '088', '--from', '2026-12-24T23:00+09:00'], '--until must be a time with its zone'],
    [['--bank', '088', '--from', '2026-12-24T23:00', '--until', '2026-12-25T02:00'], '--from must be a time'],
    [
      ['--bank', '088', '--from', '2026-02-30T02:00Z', '--until', '2026-12-24T23:00Z'],
      '--from must be a time',
    ],
    [
      ['--bank', '088', '--from', '2026-12-25T02:00Z', '--until', '2026-12-24T23:00Z'],
      '--from must be before --until.',
    ],
  ] as const)('%j is refused: %s', async ([words, text]) => {
    const { exitCode, errors } = await operate('bank-window', 'add', ...words);
    expect([exitCode, errors.startsWith(text)]).toEqual([2, true]);
  });

  it('cannot be removed when they do not exist', async () => {
    expect(await operate('bank-window', 'remove', '--id', '4711')).toMatchObject({
      exitCode: 1,
      errors: 'There is no window 4711. See: npm run operator -- bank-window list',
    });
    expect((await operate('bank-window', 'remove', '--id', 'x')).exitCode).toBe(2);
  });
});
