import { eq, sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { reconciliationWorkflowId } from '../../contract/reconciliation.ts';
import type { ReconciliationCounts, ReconciliationInput } from '../../contract/reconciliation.ts';
import { taskQueue, workflowTypes } from '../../contract/registration.ts';
import { PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import type {
  LedgerEntry,
  PaymentGateway,
  RegistrationRequest,
  RegistrationInquiryAnswer,
} from '../../payment-gateway/payment-gateway.ts';
import { accounts, reconciledRegistrations, registrations } from '../../database/schema.ts';
import { ensureSchedules } from '../../composition/schedules.ts';
import { operate } from '../fixtures/operate.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import type { PaymentGatewayFaults } from '../fixtures/payment-gateway-faults.ts';
import { issueToken } from '../fixtures/bearer-token.ts';
import { reseal } from '../fixtures/reseal.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, callEncrypted, registration, untilEnded } from '../fixtures/wire-client.ts';
import type { Project } from '../fixtures/wire-client.ts';

let stack: Stack;
let project: Project;
let simulated: PaymentGateway;
/** What the payment gateway does instead of what the simulator would do. */
let faults: PaymentGatewayFaults = {};
let nextMember = 0;
/** So few events that a reconciliation of a few pages continues in a new run. */
const historyLimit = 40;
const { token: operatorToken, tokens: operatorTokens } = issueToken();
const signal = AbortSignal.timeout(10 * 60_000);

async function startOwn(): Promise<void> {
  const started = await startStack({
    intercept: injectFaults(() => faults),
    api: { operatorTokens },
    dynamicConfiguration: [`limit.historyCount.suggestContinueAsNew=${historyLimit}`],
  });
  use(started);
}
function use(started: Stack): void {
  stack = started;
  ({ simulated } = stack);
  project = stack.projects[0];
}
const findLatestEnded = async () =>
  (await stack.stores.reconciliations.list(10)).find(({ endedAt }) => endedAt !== null);
beforeAll(startOwn);
afterAll(() => stack.close());
const endFaults = () => {
  faults = {};
};

const unavailable = () => Promise.reject(new PaymentGatewayUnavailable('Unavailable in this test.'));

interface Registered {
  readonly member: number;
  readonly userId: string;
  readonly number: string;
}

async function start(member = nextMember++, bankAccount = '11012345678'): Promise<Registered> {
  const body = registration(project, member, { bankAccount });
  const answer = await call(stack.url, project, '/ars/register', body);
  expect(answer.body.response.code).toBe('000_000');
  return { member, userId: String(body['userId']), number: String(answer.body['bankAccRegNo']) };
}

async function register(member?: number, bankAccount?: string): Promise<Registered> {
  const run = await start(member, bankAccount);
  const { body } = await untilEnded(stack.url, project, run.number);
  expect(body['status']).toBe('BANK_ACC_REGISTERED');
  return run;
}

/** Deletes a member's account, and waits until it is removed at the payment gateway. */
async function deleteAccount(userId: string): Promise<void> {
  await callEncrypted(stack.url, project, '/delete', { userId });
  await vi.waitFor(
    async () => expect(await stack.stores.accounts.listOf(userId)).toMatchObject([{ state: 'REMOVED' }]),
    10_000,
  );
}

/** Reconciles by pages of three. @returns the report as operators get it */
async function reconcile(pageSize = 3) {
  const id = await startReconciliation(pageSize).then((run) => run.result());
  return await report(String(id));
}

const startReconciliation = (pageSize: number) =>
  stack.temporal.workflow.start(workflowTypes.reconcile, {
    workflowId: reconciliationWorkflowId,
    taskQueue,
    args: [{ pageSize } satisfies ReconciliationInput],
  });

async function ask(
  path: string,
  headers: Record<string, string> = { authorization: `Bearer ${operatorToken}` },
) {
  const response = await fetch(`${stack.url}/operator/reconciliations${path}`, { headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

type Finding = Readonly<Record<'registrationNumber' | 'kind' | 'detail', string>>;

/** Reads the report of a reconciliation that has ended by its route, two findings at a time. */
async function report(id: string) {
  const findings: Finding[] = [];
  let body: Record<string, unknown>;
  let after: unknown = '';
  do {
    ({ body } = await ask(`/${id}?limit=2&after=${after as string}`));
    expect(body).toMatchObject({ id, endedAt: expect.any(String), findings: expect.any(Array) });
    const page = body['findings'] as Finding[];
    expect(page.length).toBeLessThanOrEqual(2);
    findings.push(...page);
    after = body['nextAfter'];
  } while (after !== null);
  return { id, counts: body['registrations'] as ReconciliationCounts, findings };
}

const found = ({ findings }: { findings: readonly Finding[] }) =>
  Object.fromEntries(
    findings.map((finding) => [finding.registrationNumber, `${finding.kind} ${finding.detail}`]),
  );

const none = { MISSING_AT_PAYMENT_GATEWAY: 0, UNKNOWN_TO_US: 0, DIFFERENT: 0 };

/** The current state of both ledgers. */
async function ledgers() {
  const { queries } = stack.database;
  return {
    theirs: await (await fetch(`${stack.simulatorUrl}/simulator/registrations`)).json(),
    registrations: (await queries.select().from(registrations).orderBy(registrations.registrationNumber)).map(
      // The runs of open registrations go on meanwhile.
      ({ lookAt: _lookAt, timeline: _timeline, seal: _seal, ...row }) => row,
    ),
    accounts: await queries.select().from(accounts).orderBy(accounts.registrationNumber),
  };
}

/** A request to register an account, with the evidence of another registration. */
async function orderLike(
  number: string,
  changes: Partial<RegistrationRequest> = {},
): Promise<RegistrationRequest> {
  const { userId, bankCode, details } = await stack.stores.registrations.openAny(number);
  const { callId, sha256 } = (await stack.stores.consentEvidence.find(number))!;
  const { accountNumber, holderName, birthDate } = details;
  const account = { bankCode, accountNumber, holderName, birthDate };
  const sendBy = new Date(Date.now() + 60_000);
  return {
    reference: number,
    memberId: userId,
    ...account,
    evidence: { callId, sha256: sha256! },
    sendBy,
    ...changes,
  };
}

describe('of ledgers that agree', () => {
  /** Enough for three pages. */
  const accountCount = 8;
  beforeAll(async () => {
    await Promise.all(Array.from({ length: accountCount }, () => register()));
  });
  afterEach(endFaults);

  it('reports no findings', async () => {
    const { id, counts, findings } = await reconcile();
    const active = await stack.database.queries.$count(accounts, eq(accounts.state, 'ACTIVE'));
    expect(active).toBeGreaterThanOrEqual(accountCount);
    expect(counts).toEqual({ MATCHED: active, IN_PROGRESS: 0, AWAITING_REMOVAL: 0, ...none });
    expect(findings).toEqual([]);
    expect((await findLatestEnded())?.reconciliationId).toBe(id);
    const { exitCode, output, errors } = await operate(stack, 'reconcile');
    expect([exitCode, errors]).toEqual([0, '']);
    expect(output).toMatch(new RegExp(`^ +${active} {2}MATCHED$`, 'm'));
  });

  it('finds nothing while members register, change and delete their accounts', async () => {
    const before = (await reconcile()).counts;
    const life = async () => {
      const { member, userId } = await register();
      await register(member, '11012345679');
      await callEncrypted(stack.url, project, '/delete', { userId });
      await register(member, '11012345670');
    };
    const lives = Promise.all(Array.from({ length: 6 }, life));
    const ended = lives.then(() => 'ENDED');
    do expect((await reconcile(2)).findings).toEqual([]);
    while ((await Promise.race([ended, Promise.resolve('GOING ON')])) !== 'ENDED');
    const { counts } = await reconcile();
    expect(counts).toMatchObject({ MATCHED: before.MATCHED + 6, ...none });
  });

  it('counts nothing twice when a page is repeated', async () => {
    const undisturbed = await reconcile();
    expect(undisturbed.counts.MATCHED).toBeGreaterThanOrEqual(accountCount);
    let pages = 0;
    faults = {
      listRegistrations: async ({ cursor, limit }, abort) => {
        const page = await simulated.listRegistrations({ cursor, limit }, abort);
        return pages++ === 1 ? { ...page, nextCursor: cursor } : page;
      },
    };
    expect((await reconcile()).counts).toEqual(undisturbed.counts);
    expect(pages).toBeGreaterThan(2);
  });

  it('resumes when the worker stops in the middle and the payment gateway is unavailable', async () => {
    const undisturbed = await reconcile();
    expect(undisturbed.counts.MATCHED).toBeGreaterThanOrEqual(accountCount);
    const asked: (string | null)[] = [];
    let isStuck = () => {};
    const stuck = new Promise<void>((resolve) => {
      isStuck = resolve;
    });
    faults = {
      listRegistrations: async (page, abort) => {
        asked.push(page.cursor);
        if (asked.length < 3) return await simulated.listRegistrations(page, abort);
        isStuck();
        return await unavailable();
      },
    };
    const run = await startReconciliation(3);
    await stuck;
    await stack.stopWorker();
    const beforeStop = [...asked];
    faults = {
      listRegistrations: async (page, abort) => {
        asked.push(page.cursor);
        return await simulated.listRegistrations(page, abort);
      },
    };
    await stack.startWorker();
    const { counts } = await report(String(await run.result()));
    expect(counts).toEqual(undisturbed.counts);
    // It continues with the missing page, not from the beginning.
    expect(asked[beforeStop.length]).toBe(beforeStop[2]);
  });

  it('continues in a new run when the history grows long', async () => {
    const undisturbed = await reconcile();
    const run = await startReconciliation(1);
    const id = String(await run.result());
    expect(id).toBe(run.firstExecutionRunId);
    const first = await stack.temporal.workflow.getHandle(run.workflowId, id).describe();
    expect(first.status.name).toBe('CONTINUED_AS_NEW');
    expect(first.historyLength).toBeLessThan(historyLimit + 20);
    expect((await report(id)).counts).toEqual(undisturbed.counts);
  });

  it('keeps only its findings', async () => {
    const { id } = await reconcile();
    const ofThis = eq(reconciledRegistrations.reconciliationId, id);
    expect(await stack.database.queries.$count(reconciledRegistrations, ofThis)).toBe(0);
  });
});

describe('of ledgers that change meanwhile', () => {
  afterEach(endFaults);

  it('reports nothing that was true only when the ledger was read', async () => {
    const { userId, number } = await register();
    const ledger = await simulated.listRegistrations({ cursor: null, limit: 1_000 }, signal);
    await deleteAccount(userId);
    faults = { listRegistrations: async () => ledger };
    const { findings } = await reconcile();
    expect(ledger.registrations.map(({ reference }) => reference)).toContain(number);
    expect(findings).toEqual([]);
  });

  it('reports nothing about a registration that ends on our side during the inquiry', async () => {
    const { userId, number } = await register();
    let asked = 0;
    faults = {
      listRegistrations: listedBut(({ reference }) => reference !== number),
      inquireRegistration: async (reference, abort) => {
        if (reference === number && asked++ === 0) await deleteAccount(userId);
        return await simulated.inquireRegistration(reference, abort);
      },
    };
    expect((await reconcile()).findings).toEqual([]);
    expect(asked).toBe(2);
  });
});

/** The ledger without some entries. */
function listedBut(isListed: (entry: LedgerEntry) => boolean): PaymentGateway['listRegistrations'] {
  return async (page, abort) => {
    const ledger = await simulated.listRegistrations(page, abort);
    return { ...ledger, registrations: ledger.registrations.filter(isListed) };
  };
}

describe('of ledgers that disagree', () => {
  const expected: Record<string, string> = {};
  let before: ReconciliationCounts;
  let others: Stack;

  // Ledgers that disagree permanently, on a stack of their own.
  afterAll(async () => {
    endFaults();
    await stack.close();
    use(others);
  });
  beforeAll(async () => {
    others = stack;
    await startOwn();
    before = (await reconcile()).counts;

    const changes = new Map<string, Partial<RegistrationRequest>>();
    const registerChanged = (change: Partial<RegistrationRequest>) => {
      changes.set(project.members[nextMember]!.userId, change);
      return register();
    };
    faults = {
      register: (order, abort) => simulated.register({ ...order, ...changes.get(order.memberId) }, abort),
    };
    const [removed, twice, forgotten, stuck, unreadable, forged, unlisted, ...unlistedToo] =
      await Promise.all(Array.from({ length: 10 }, () => register()));
    const [otherMember, otherBank, otherAccount] = await Promise.all([
      registerChanged({ memberId: '99999999999' }),
      registerChanged({ bankCode: '004' }),
      registerChanged({ accountNumber: '11012345699' }),
      // The same number in another format is not a difference.
      registerChanged({ accountNumber: '110-1234-5678' }),
    ]);
    expected[otherMember.number] = 'DIFFERENT OTHER_MEMBER';
    expected[otherBank.number] = 'DIFFERENT OTHER_BANK';
    expected[otherAccount.number] = 'DIFFERENT OTHER_ACCOUNT_NUMBER';

    await simulated.removeRegistration(removed!.number, signal);
    expected[removed!.number] = 'MISSING_AT_PAYMENT_GATEWAY REMOVED';

    await simulated.register(await orderLike(twice!.number), signal);
    expected[twice!.number] = 'DIFFERENT REGISTERED_MORE_THAN_ONCE';

    await stack.database.queries.execute(
      sql`update accounts set state = 'REMOVED' where registration_number = ${forgotten!.number}`,
    );
    expected[forgotten!.number] = 'DIFFERENT REMOVED_WITH_US';

    // As of one whose run was terminated.
    await stack.database.queries.execute(
      sql`delete from accounts where registration_number = ${stuck!.number}`,
    );
    await stack.database.queries.execute(
      sql`update registrations set ended_at = null, created_at = now() - interval '31 days' where registration_number = ${stuck!.number}`,
    );
    expected[stuck!.number] = 'DIFFERENT STILL_OPEN_WITH_US';

    await stack.database.queries.execute(
      sql`update registrations set sealed_details = 'x' where registration_number = ${unreadable!.number}`,
    );
    expected[unreadable!.number] = 'DIFFERENT ACCOUNT_UNREADABLE';
    await stack.database.queries.execute(
      sql`update consent_evidence set sha256 = ${'0'.repeat(64)} where registration_number = ${forged!.number}`,
    );
    expected[forged!.number] = 'DIFFERENT OTHER_EVIDENCE';
    await reseal(stack);

    const answers = new Map<string, RegistrationInquiryAnswer>();
    const inquiryAnswers: [RegistrationInquiryAnswer, string][] = [
      [{ state: 'NOT_FOUND' }, 'NOT_FOUND'],
      [{ state: 'REFUSED', reason: 'ACCOUNT_SEIZED' }, 'REFUSED'],
      [{ state: 'IN_PROGRESS' }, 'NOT_REGISTERED_YET'],
    ];
    for (const [index, [answer, detail]] of inquiryAnswers.entries()) {
      const { number } = unlistedToo[index]!;
      answers.set(number, answer);
      expected[number] = `MISSING_AT_PAYMENT_GATEWAY ${detail}`;
    }
    expected[unlisted!.number] = 'DIFFERENT NOT_IN_LEDGER';
    const hidden = new Set([unlisted!, ...unlistedToo].map(({ number }) => number));

    const failed = await start(undefined, '11012349003');
    await untilEnded(stack.url, project, failed.number);
    await simulated.register(await orderLike(twice!.number, { reference: failed.number }), signal);
    expected[failed.number] = 'UNKNOWN_TO_US FAILED_WITH_US';

    const reference = 'OFSOMEONEELSE000000000';
    await simulated.register(await orderLike(twice!.number, { reference }), signal);
    expected[reference] = 'UNKNOWN_TO_US NEVER_ASKED_FOR';

    faults = { removeRegistration: unavailable };
    const { member } = await register();
    await register(member, '11012345679');

    faults = {
      removeRegistration: unavailable,
      listRegistrations: listedBut((entry) => !hidden.has(entry.reference)),
      inquireRegistration: async (number, abort) =>
        answers.get(number) ?? (await simulated.inquireRegistration(number, abort)),
    };
    const inProgress = new Promise<void>((resolve) => {
      faults.register = async (order, abort) => {
        answers.set(order.reference, { state: 'IN_PROGRESS' });
        await simulated.register(order, abort);
        resolve();
        return { state: 'ACCEPTED' };
      };
    });
    await start();
    await inProgress;
  }, 120_000);

  it('reports each disagreement once, with its kind, and changes neither ledger', async () => {
    const ledgersBefore = await ledgers();
    const reported = await reconcile();
    expect(found(reported)).toEqual(expected);
    expect(reported.findings).toHaveLength(Object.keys(expected).length);
    expect(reported.counts).toEqual({
      MATCHED: before.MATCHED + 2,
      IN_PROGRESS: 1,
      AWAITING_REMOVAL: 1,
      MISSING_AT_PAYMENT_GATEWAY: 4,
      UNKNOWN_TO_US: 2,
      DIFFERENT: 9,
    });
    expect(await ledgers()).toEqual(ledgersBefore);
    const { startedAt, endedAt } = (await findLatestEnded())!;
    expect(endedAt!.getTime()).toBeGreaterThanOrEqual(startedAt.getTime());

    const again = await reconcile(500);
    expect([again.counts, again.findings]).toEqual([reported.counts, reported.findings]);
  });

  it('tells the operator what to do, and ends with 1', async () => {
    await reconcile();
    const { exitCode, output, errors } = await operate(stack, 'reconcile');
    expect(exitCode).toBe(1);
    expect(errors).toContain('disagree on 15 registrations');
    expect(output).toMatch(/^ +4 {2}MISSING_AT_PAYMENT_GATEWAY$/m);
    const lines = output.split('\n');
    for (const [number, finding] of Object.entries(expected)) {
      const line = `${number}  ${finding.replace(' ', '  ')}: `;
      expect(lines.filter((candidate) => candidate.startsWith(line))).toHaveLength(1);
    }
    expect(output).not.toContain('1101234');
  });
});

describe('the operator’s routes', () => {
  afterEach(endFaults);

  it('refuse requests without the token', async () => {
    for (const path of ['', '/any']) {
      const refused = await fetch(`${stack.url}/operator/reconciliations${path}`);
      expect(refused.status).toBe(401);
      const another = { authorization: 'Bearer another-token' };
      expect(await fetch(refused.url, { headers: another })).toMatchObject({ status: 401 });
    }
  });

  it('list the reconciliations, the latest first', async () => {
    const { id } = await reconcile();
    const { body } = await ask('');
    const listed = body['reconciliations'] as { id: string; startedAt: string }[];
    expect(listed[0]).toMatchObject({ id, registrations: { MATCHED: expect.any(Number) } });
    const times = listed.map(({ startedAt }) => startedAt);
    expect(times).toEqual(times.toSorted().toReversed());
  });

  it('refuse unknown IDs and invalid parameters', async () => {
    expect(await ask('/none')).toMatchObject({ status: 404, body: { error: expect.any(String) } });
    for (const limit of ['0', '1001', 'all']) {
      expect(await ask(`/none?limit=${limit}`)).toMatchObject({ status: 400 });
    }
  });

  it('show no findings before each has been checked twice', async () => {
    const { number } = await register();
    faults = {
      listRegistrations: listedBut(({ reference }) => reference !== number),
      inquireRegistration: unavailable,
    };
    const run = await startReconciliation(500);
    onTestFinished(async () => {
      await run.terminate();
    });
    const pending = async () => (await run.describe()).raw.pendingActivities?.[0];
    await expect.poll(pending, { timeout: 10_000 }).toMatchObject({ activityType: { name: 'lookAgain' } });
    expect(await ask(`/${run.firstExecutionRunId}`)).toMatchObject({
      status: 200,
      body: { endedAt: null, registrations: null, findings: [], nextAfter: null },
    });
  });
});

describe('the schedule', () => {
  it('exists once, even if workers restart, and stays paused', async () => {
    await ensureSchedules(stack.temporal);
    const schedule = stack.temporal.schedule.getHandle('reconciliation');
    const { spec, policies, state } = await schedule.describe();
    expect(spec.calendars).toMatchObject([{ hour: [{ start: 4 }], minute: [{ start: 30 }] }]);
    expect(spec.timezone).toBe('Asia/Seoul');
    expect([policies.overlap, state.paused]).toEqual(['SKIP', false]);
    await schedule.pause('the test says so');
    await ensureSchedules(stack.temporal);
    expect((await schedule.describe()).state).toMatchObject({ paused: true, note: 'the test says so' });
    await schedule.unpause();
  });

  it('reconciles', async () => {
    const latest = async () => (await findLatestEnded())?.reconciliationId;
    const last = await latest();
    await ensureSchedules(stack.temporal);
    await stack.temporal.schedule.getHandle('reconciliation').trigger();
    await expect.poll(latest, { timeout: 20_000 }).not.toBe(last);
    const query = `WorkflowType = '${workflowTypes.reconcile}'`;
    const { executions } = await stack.temporal.workflowService.listWorkflowExecutions({
      namespace: 'default',
      query,
    });
    const workflowIds = executions.map(({ execution }) => execution?.workflowId);
    expect(workflowIds).toContainEqual(expect.stringMatching(/^reconciliation-\d{4}-/));
  });
});
