import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { formatHead } from '../../database/audit-trail.ts';
import { enterOperators } from '../../database/operators.ts';
import { commands } from '../../operator/commands.ts';
import { authenticate } from '../../operator/authenticate.ts';
import { findHolder, hashedTokensSchema } from '../../runtime/bearer-tokens.ts';
import type { HashedToken } from '../../runtime/bearer-tokens.ts';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { createDatabaseWitness } from '../../composition/database-witness.ts';
import { PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import { impatientPolicy } from '../fixtures/impatient-policy.ts';
import { issueToken } from '../fixtures/bearer-token.ts';
import { startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import { operate as operateOn } from '../fixtures/operate.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import type { PaymentGatewayFaults } from '../fixtures/payment-gateway-faults.ts';
import { reseal } from '../fixtures/reseal.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

let stack: Stack;
let impatientApi: string;
let faults: PaymentGatewayFaults = {};
let nextMember = 0;

beforeAll(async () => {
  stack = await startStack({ intercept: injectFaults(() => faults) });
  impatientApi = await stack.startAnotherApi({ policy: impatientPolicy });
});
afterAll(() => stack.close());

const operate = (...words: readonly string[]) => operateOn(stack, ...words);
const reason = ['--reason', 'a ticket'];

async function register(overrides: Readonly<Record<string, unknown>> = {}, api = stack.url) {
  const request = registration(stack.projects[0], nextMember++, overrides);
  const { body } = await call(api, stack.projects[0], '/ars/register', request);
  return { userId: String(request['userId']), number: String(body['bankAccRegNo']) };
}

async function registerToTheEnd(overrides: Readonly<Record<string, unknown>> = {}) {
  const registered = await register(overrides);
  await untilEnded(stack.url, stack.projects[0], registered.number);
  return registered;
}

/** A registration in REVIEW, about which the payment gateway says nothing. */
async function reachReview() {
  const unavailable = () => Promise.reject(new PaymentGatewayUnavailable('The test makes it unavailable.'));
  faults = { register: unavailable, inquireRegistration: unavailable };
  const run = await register({}, impatientApi);
  await expect.poll(async () => (await operate('reviews')).output, { timeout: 30_000 }).toContain(run.number);
  return {
    ...run,
    release: () => {
      faults = {};
    },
  };
}

/** The entries made meanwhile. */
async function entriesOf(work: () => Promise<unknown>) {
  const before = (await stack.stores.auditTrail.head())?.sequence;
  await work();
  return await stack.stores.auditTrail.list({}, before);
}

describe('every command that acts', () => {
  const publicKey = () => {
    const file = join(temporaryDirectory(), 'key.pem');
    const { publicKey: key } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    writeFileSync(file, key.export({ type: 'spki', format: 'pem' }));
    return ['--client-public-key', file];
  };
  const asp = ['--asp', 'TRAILASP0000001'];
  const member = '77000000001';
  const memberFile = () => {
    const file = join(temporaryDirectory(), 'members.jsonl');
    const facts = { userName: '김비밀', birthDate: '19900131', mobileNumber: '01099990001' };
    writeFileSync(file, JSON.stringify({ userId: member, ...facts }));
    return ['--file', file];
  };

  /** In the order in which they are given. Each has the words after the command, and what its entries are about. */
  const given: Record<string, () => Promise<readonly [readonly string[], object]>> = {
    'project add': async () => [[...asp, ...publicKey()], { aspId: 'TRAILASP0000001' }],
    'project renew-keys': async () => [[...asp, ...publicKey()], { aspId: 'TRAILASP0000001' }],
    'project retire-keys': async () => [asp, { aspId: 'TRAILASP0000001' }],
    'project state': async () => [[...asp, '--state', 'ACTIVE'], { details: '{"state":"ACTIVE"}' }],
    'project institutions': async () => [[...asp, '--accepted', 'ALL'], { details: '{"accepted":"ALL"}' }],
    'notification-url': async () => {
      const url = 'https://receiver.example/results';
      return [[...asp, '--url', url], { details: JSON.stringify({ url }) }];
    },
    'test-notification': async () => [asp, { aspId: 'TRAILASP0000001' }],
    'member add': async () => [[...asp, ...memberFile()], { aspId: 'TRAILASP0000001' }],
    'member erase': async () => [[...asp, '--user', member], { userId: member }],
    'bank-window add': async () => [['--bank', '088', '--daily', '03:00-03:01'], {}],
    'bank-window remove': async () => [
      ['--id', String((await stack.stores.bankWindows.list()).at(-1)!.bankWindowId)],
      {},
    ],
    'evidence hold': async () => {
      const { number } = await registerToTheEnd();
      return [['--number', number], { registrationNumber: number }];
    },
    'evidence release': async () => {
      const number = (await stack.stores.legalHolds.list())[0]!.registrationNumber;
      return [['--number', number], { registrationNumber: number }];
    },
    'evidence export': async () => {
      const { number } = await registerToTheEnd();
      const directory = join(temporaryDirectory(), 'export');
      return [['--number', number, '--directory', directory], { registrationNumber: number }];
    },
    'evidence purge': async () => {
      const { number } = await registerToTheEnd();
      await stack.database.queries.execute(
        sql`update registrations set ended_at = now() - interval '6 years' where registration_number = ${number}`,
      );
      await stack.database.queries.execute(
        sql`update accounts set state = 'REMOVED', removed_at = now() - interval '6 years' where registration_number = ${number}`,
      );
      await reseal(stack);
      return [[], { registrationNumber: number }];
    },
    redeliver: async () => {
      const receiver = await startNotificationReceiver();
      onTestFinished(() => void receiver.close());
      await stack.stores.projects.setNotificationUrl(stack.projects[0].aspId, receiver.url);
      const { number } = await registerToTheEnd();
      return [['--number', number], { registrationNumber: number }];
    },
    resolve: async () => {
      const { number, release } = await reachReview();
      onTestFinished(release);
      const words = ['--verdict', 'NOT_REGISTERED', '--despite-payment-gateway'];
      return [['--number', number, ...words], { registrationNumber: number }];
    },
    resume: async () => {
      const { number } = await register({ mobileNumber: '01012340008' });
      return [['--number', number], { registrationNumber: number }];
    },
    reconcile: async () => [[], {}],
    'keys rewrap': async () => [[], {}],
    restored: async () => [['--to', new Date().toISOString()], {}],
    adopt: async () => [[], {}],
  };

  it('is tried here', () => {
    const acting = Object.entries(commands).filter(
      ([, command]) => command.needs === 'DATABASE' && command.acts,
    );
    // What is approved is entered as what it is; see below.
    expect(Object.keys(given).toSorted()).toEqual(
      acting.flatMap(([name]) => (name === 'approve' ? [] : [name])).toSorted(),
    );
  });

  it.for(Object.keys(given))('%s enters who did what on what, why and from where', async (name) => {
    const [words, about] = await given[name]!();
    const entries = await entriesOf(() => operate(...name.split(' '), ...words, ...reason));
    expect(entries.length).toBeGreaterThan(0);
    const who = {
      actor: 'kim',
      origin: expect.stringMatching(/^kim@test/),
      action: name,
      reason: 'a ticket',
    };
    expect(entries.filter(({ actor }) => actor === 'kim').at(-1)).toMatchObject({ ...who, ...about });
    expect(JSON.stringify(entries)).not.toMatch(/김비밀|19900131|01099990001|PRIVATE KEY/);
  });

  it('and refuses enters nothing', async () => {
    const entries = await entriesOf(async () => {
      const refused = [
        await operate('project', 'state', '--asp', 'UNKNOWNASP00001', '--state', 'INACTIVE'),
        await operate('evidence', 'release', '--number', 'A'.repeat(22), ...reason),
        await operate('bank-window', 'remove', '--id', '4711'),
      ];
      expect(refused.map(({ exitCode }) => exitCode)).toEqual([1, 1, 1]);
    });
    expect(entries).toEqual([]);
  });
});

it('a command that only reads enters nothing', async () => {
  const entries = await entriesOf(async () => {
    for (const words of [
      'reviews',
      'list --step ARS_CALL',
      'bank-window list',
      'keys status',
      'evidence verify',
    ])
      await operate(...words.split(' '));
    await operate('evidence', 'purge', '--dry-run');
    await operate('trail');
  });
  expect(entries).toEqual([]);
});

it('what changes something is only called through the stores of an act', () => {
  const reading =
    /^(find\w*|list\w*|read\w*|open\w*|load\w*|outline|get|keep|head|continues|verify|act|requireKnown|now|requireAll|rowOfLost|rewrap|countExpired|forgetRecent)$/;
  const sources = ['operator', 'development/sandbox', 'activities/evidence-retention.ts'].flatMap((path) =>
    path.endsWith('.ts')
      ? [path]
      : readdirSync(join(projectDirectory, path), { encoding: 'utf8' }).map((file) => join(path, file)),
  );
  const calls = sources.flatMap((path) =>
    [
      ...readFileSync(join(projectDirectory, path), 'utf8').matchAll(
        /(?<!acting\.)stores\.(?:\w+\.)?(\w+)\(/g,
      ),
    ].map(([, method]) => ({ path, method: method! })),
  );
  expect(calls.length).toBeGreaterThan(30);
  // The sandbox fills its own database.
  expect(
    calls.filter(({ path, method }) => !path.endsWith('/credentials.ts') && !reading.test(method)),
  ).toEqual([]);
});

it('the service enters under its own name what it does by itself', async () => {
  const entries = await stack.stores.auditTrail.list({ actor: 'service' });
  expect(entries[0]).toMatchObject({ action: 'payload key', details: '{"payloadKeyId":"test-key"}' });
});

it('the sandbox enters who sets a notification URL', async () => {
  const { aspId } = stack.projects[1];
  const entries = await entriesOf(() =>
    fetch(`${stack.url}/sandbox/projects/${aspId}/callback`, {
      method: 'PUT',
      body: JSON.stringify({ callbackUrl: null }),
    }),
  );
  const who = { actor: 'sandbox', origin: expect.stringMatching(/^(::ffff:)?127\.0\.0\.1/) };
  expect(entries).toMatchObject([{ ...who, action: 'notification-url', aspId, details: '{"url":null}' }]);
});

describe('operator trail', () => {
  it('shows the entries of a registration, a member, a service provider or an operator', async () => {
    const { number } = await registerToTheEnd();
    await operateOn({ ...stack, operator: 'lee' }, 'evidence', 'hold', '--number', number, ...reason);
    const { exitCode, output } = await operate('trail', '--number', number);
    expect(exitCode).toBe(0);
    expect(output.split('\n')).toEqual([
      expect.stringMatching(/^entry +time +who +what +on +details +why +from$/),
      expect.stringMatching(
        new RegExp(`^\\d+ +[\\d-]+ [\\d:]+ UTC +lee +evidence hold +${number} +{} +a ticket +`),
      ),
    ]);
    expect((await operate('trail', '--operator', 'lee')).output).toContain(number);
    expect((await operate('trail', '--operator', 'nobody')).output).toBe(
      'The audit trail has no such entry.',
    );
  });

  it('verifies it, also against what was published, and says which entry is broken', async () => {
    const { aspId } = stack.projects[0];
    await operate('project', 'state', '--asp', aspId, '--state', 'ACTIVE');
    await operate('project', 'state', '--asp', aspId, '--state', 'ACTIVE', ...reason);
    const head = (await stack.stores.auditTrail.head())!;
    const verify = (...words: readonly string[]) => operate('trail', '--verify', ...words);
    expect(await verify('--head', formatHead(head))).toMatchObject({
      exitCode: 0,
      output: expect.stringMatching(new RegExp(`^audit trail: ${head.sequence} entries, intact; `)),
    });
    expect((await verify('--operator', 'kim')).exitCode).toBe(2);
    expect((await verify('--head', 'a head')).exitCode).toBe(2);
    await operate('reconcile');
    const witness = createDatabaseWitness(stack.temporal);
    await witness.write({ ...(await stack.stores.incarnations.mark())!, auditTrailHead: head });

    const tamper = (statement: ReturnType<typeof sql>) =>
      stack.database.queries.transaction(async (transaction) => {
        await transaction.execute(sql`set local session_replication_role = replica`);
        await transaction.execute(statement);
      });
    await tamper(sql`create table kept as table audit_trail`);
    await tamper(sql`delete from audit_trail where sequence >= ${head.sequence}`);
    const cutOff = new RegExp(
      `^Entry \\d+ of the audit trail, which (Temporal|reconciliation \\S+) has, is missing`,
    );
    expect(await verify()).toMatchObject({ exitCode: 1, errors: expect.stringMatching(cutOff) });
    await tamper(sql`update reconciliations set audit_trail_head = null`);
    expect((await verify()).errors).toContain('which Temporal has, is missing');

    await tamper(sql`delete from audit_trail`);
    await tamper(sql`insert into audit_trail table kept`);
    expect(await verify()).toMatchObject({ exitCode: 0 });
    await tamper(sql`update audit_trail set actor = 'lee' where sequence = ${head.sequence}`);
    expect(await verify()).toMatchObject({
      exitCode: 1,
      errors: expect.stringMatching(
        new RegExp(
          `^Entry ${head.sequence} of the audit trail is broken: it was altered.*Do not change it further`,
        ),
      ),
    });
    await tamper(sql`delete from audit_trail`);
    await tamper(sql`insert into audit_trail table kept`);
    await tamper(sql`drop table kept`);
  });
});

describe('operator trail on a changed database', () => {
  it('does not call a trail intact that it has compared with nothing', async () => {
    await operate('project', 'state', '--asp', stack.projects[0].aspId, '--state', 'ACTIVE');
    await stack.database.queries.execute(sql`update reconciliations set audit_trail_head = null`);
    const withoutTemporal = { ...stack, temporal: {} as never };
    const verify = (...words: readonly string[]) => operateOn(withoutTemporal, 'trail', '--verify', ...words);
    expect(await verify()).toMatchObject({
      exitCode: 1,
      output: '',
      errors: expect.stringMatching(/nothing was compared.*trail --verify --head/),
    });
    const head = formatHead((await stack.stores.auditTrail.head())!);
    expect(await verify('--head', head)).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining('compared with 1 published heads'),
    });
  });

  it('marks an entry that is not authentic', async () => {
    const { queries } = stack.database;
    const { aspId } = stack.projects[1];
    await operate('project', 'state', '--asp', aspId, '--state', 'ACTIVE', ...reason);
    const { sequence, actor } = (await stack.stores.auditTrail.list({ aspId })).at(-1)!;
    const rename = (name: string) =>
      queries.transaction(async (transaction) => {
        await transaction.execute(sql`set local session_replication_role = replica`);
        await transaction.execute(sql`update audit_trail set actor = ${name} where sequence = ${sequence}`);
      });
    expect(await operate('trail', '--asp', aspId)).toMatchObject({ exitCode: 0 });
    await rename('lee');
    const shown = await operate('trail', '--asp', aspId);
    await rename(actor);
    expect(shown).toMatchObject({
      exitCode: 1,
      output: expect.stringMatching(new RegExp(`^${sequence} NOT AUTHENTIC .* lee `, 'm')),
      errors: expect.stringContaining('1 of these entries are marked NOT AUTHENTIC'),
    });
    expect(shown.output.match(/NOT AUTHENTIC/g)).toHaveLength(1);
  });
});

describe('a second person', () => {
  const all = ['verdict', 'erasure', 'release', 'export'] as const;
  const as = (operator: string, ...words: readonly string[]) =>
    operateOn({ ...stack, operator, secondPersonFor: all }, ...words);
  const requestIn = (errors: string) => /approve --request (\d+)$/.exec(errors)![1]!;

  async function held() {
    const { number } = await registerToTheEnd();
    await as('kim', 'evidence', 'hold', '--number', number, ...reason);
    return ['evidence', 'release', '--number', number, ...reason];
  }
  const isHeld = async ([, , , number]: readonly string[]) =>
    (await stack.stores.legalHolds.list()).some(({ registrationNumber }) => registrationNumber === number);

  it('carries out what the first one has requested, once', async () => {
    const release = await held();
    const requested = await as('kim', ...release);
    expect(requested).toMatchObject({ exitCode: 3, output: '' });
    expect(await isHeld(release)).toBe(true);
    const approve = ['approve', '--request', requestIn(requested.errors)];
    expect(await as('kim', ...approve)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('is your own: another operator must approve it'),
    });
    expect(await isHeld(release)).toBe(true);
    const entries = await entriesOf(() => as('lee', ...approve));
    expect(await isHeld(release)).toBe(false);
    expect(entries).toMatchObject([
      { actor: 'lee', action: 'evidence release', reason: 'a ticket', approves: Number(approve[2]) },
    ]);
    expect(await as('park', ...approve)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('has been carried out already'),
    });
  });

  it('is needed for an export, an early erasure and a verdict against the payment gateway', async () => {
    const { number } = await registerToTheEnd();
    const directory = join(temporaryDirectory(), 'export');
    const exported = await as('kim', 'evidence', 'export', '--number', number, '--directory', directory);
    expect(exported).toMatchObject({ exitCode: 3 });
    expect(await as('lee', 'approve', '--request', requestIn(exported.errors))).toMatchObject({
      exitCode: 0,
    });
    expect(readdirSync(directory)).toContain('SHA256SUMS');

    const { aspId } = stack.projects[0];
    const user = stack.projects[0].members.at(-1)!.userId;
    const erase = ['member', 'erase', '--asp', aspId, '--user', user, ...reason];
    const erased = await as('kim', ...erase, '--before-retention-ends');
    expect(erased).toMatchObject({ exitCode: 3 });
    expect(await as('lee', 'approve', '--request', requestIn(erased.errors))).toMatchObject({ exitCode: 0 });

    const { number: undecided, release } = await reachReview();
    onTestFinished(release);
    const verdict = ['resolve', '--number', undecided, '--verdict', 'REGISTERED', ...reason];
    const resolved = await as('kim', ...verdict, '--despite-payment-gateway');
    expect(resolved).toMatchObject({ exitCode: 3 });
    expect(await as('lee', 'approve', '--request', requestIn(resolved.errors))).toMatchObject({
      exitCode: 0,
    });
  });

  it('comes too late after a day', async () => {
    const release = await held();
    const request = requestIn((await as('kim', ...release)).errors);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 24 * 60 * 60 * 1_000 + 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(await as('lee', 'approve', '--request', request)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('has expired'),
    });
    expect(await isHeld(release)).toBe(true);
  });

  it('is not deceived by whoever writes to the database', async () => {
    const release = await held();
    const request = requestIn((await as('kim', ...release)).errors);
    await stack.database.queries.transaction(async (transaction) => {
      await transaction.execute(sql`set local session_replication_role = replica`);
      await transaction.execute(
        sql`update audit_trail set actor = 'park' where sequence = ${Number(request)}`,
      );
    });
    expect(await as('kim', 'approve', '--request', request)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('has no authentic request'),
    });
    expect(await isHeld(release)).toBe(true);
  });
});

describe('an operator', () => {
  const [kim, lee, old, other] = [
    issueToken('kim'),
    issueToken('lee'),
    issueToken('lee', '2026-01-01'),
    issueToken('park'),
  ];
  const enter = (...tokens: readonly { readonly tokens: readonly HashedToken[] }[]) =>
    enterOperators(stack.stores, {
      tokens: tokens.flatMap((each) => each.tokens),
      secondPersonFor: ['export'],
    });

  it('is whoever the token was issued to, and nobody by a token that is unknown or has expired', async () => {
    await expect(authenticate(stack.stores, kim.token)).rejects.toThrow('There are no operators yet');
    await enter(old, kim, lee);
    for (const { token, tokens } of [kim, lee]) {
      expect(await authenticate(stack.stores, token)).toMatchObject({
        actor: { name: tokens[0]!.holder, origin: expect.stringMatching(/^\S+@\S+$/) },
        secondPersonFor: ['export'],
      });
    }
    for (const { token } of [old, other]) {
      await expect(authenticate(stack.stores, token)).rejects.toThrow(/^OPERATOR_TOKEN is not valid/);
    }
  });

  it('is entered in the audit trail once, and gone with the next list', async () => {
    expect(await entriesOf(() => enter(old, kim, lee))).toEqual([]);
    const entries = await entriesOf(() => enter(lee));
    expect(entries).toMatchObject([{ actor: 'service', action: 'operators' }]);
    expect(JSON.stringify(entries)).not.toContain(lee.token);
    await expect(authenticate(stack.stores, kim.token)).rejects.toThrow(/^OPERATOR_TOKEN is not valid/);
  });

  it('is nobody whom somebody has written into the database', async () => {
    const details = JSON.stringify({ tokens: other.tokens, secondPersonFor: [] });
    await stack.database.queries.transaction(async (transaction) => {
      await transaction.execute(sql`set local session_replication_role = replica`);
      await transaction.execute(sql`update audit_trail set details = ${details} where action = 'operators'`);
    });
    await expect(authenticate(stack.stores, other.token)).rejects.toThrow('was altered');
  });

  it('gives no name', async () => {
    const words = ['evidence', 'hold', '--number', 'A'.repeat(22), ...reason];
    const { exitCode, errors } = await operate(...words, '--operator', 'lee');
    expect([exitCode, errors.split('\n')[0]]).toEqual([2, 'evidence hold does not accept --operator.']);
  });

  it('gets a token that is shown once, with its hash for the settings', async () => {
    const { exitCode, output } = await operate('token', '--name', 'lee', '--until', '2999-12-31');
    expect(exitCode).toBe(0);
    const [token, setting] = output.split('\n') as [string, string];
    expect(findHolder(hashedTokensSchema.parse(setting), token)).toBe('lee');
    for (const name of ['service', 'a=b', 'a,b', '']) {
      expect(await operate('token', '--name', name, '--until', '2999-12-31')).toMatchObject({ exitCode: 2 });
    }
  });

  it.for([
    'kim',
    'kim=2027-03-31',
    `kim=2027-02-31=${'0'.repeat(64)}`,
    `service=2027-03-31=${'0'.repeat(64)}`,
  ])('is not configured by %s', (tokens) => {
    expect(hashedTokensSchema.safeParse(tokens).error?.issues).toMatchObject([{ message: 'Invalid tokens' }]);
  });
});
