import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { NotificationState } from '../../contract/activities.ts';
import { timeOfKoreanDay } from '../../contract/korean-time.ts';
import { reconciliationWorkflowId } from '../../contract/reconciliation.ts';
import type { ReconciliationInput } from '../../contract/reconciliation.ts';
import {
  notificationWorkflowId,
  memberWorkflowId,
  removalWorkflowId,
  taskQueue,
  workflowTypes,
} from '../../contract/registration.ts';
import type { RegistrationOutcome, RegistrationStep, ReviewVerdict } from '../../contract/registration.ts';
import type { ArsOutcome } from '../../wire/registration-status.ts';
import { registrationStateQuery } from '../../contract/registration-messages.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';
import { CircuitOpen } from '../../payment-gateway/circuit-breakers.ts';
import { NothingSent, PaymentGatewayUnavailable } from '../../payment-gateway/payment-gateway.ts';
import type { PaymentGateway } from '../../payment-gateway/payment-gateway.ts';
import { impatientPolicy } from '../fixtures/impatient-policy.ts';
import { acknowledgement, startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import { answerPhone } from '../fixtures/phone.ts';
import { operate } from '../fixtures/operate.ts';
import { sendCallback } from '../fixtures/payment-gateway-callback.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import type { PaymentGatewayFaults } from '../fixtures/payment-gateway-faults.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration } from '../fixtures/wire-client.ts';
import { recordingKeys, saveHistory } from './histories.ts';
import { paths } from './paths.ts';
import type { Path } from './paths.ts';

/** Gives up everything within seconds. */
const hastyPolicy: RegistrationPolicy = {
  ...impatientPolicy,
  accountHolderCheck: { ...impatientPolicy.accountHolderCheck, giveUpAfter: 1_500 },
  arsCall: { ...impatientPolicy.arsCall, requestGiveUpAfter: 1_500 },
  consentEvidence: { giveUpAfter: 1_500 },
  closure: { giveUpAfter: 1_500, resumeWithin: 0, lookAgainWithin: 300 },
  resultNotification: { waits: [0, 100, 200] },
};

let stack: Stack;
let hastyApi: string;
let simulated: PaymentGateway;
/** What the payment gateway does instead of what the simulator would do; for paths recorded one after another. */
let faults: PaymentGatewayFaults = {};
let nextMember = 0;

beforeAll(async () => {
  stack = await startStack({
    payloadKeys: recordingKeys,
    // So few events that a reconciliation with pages of one entry continues in another run.
    dynamicConfiguration: ['limit.historyCount.suggestContinueAsNew=60'],
    intercept: injectFaults(() => faults),
  });
  ({ simulated } = stack);
  hastyApi = await stack.startAnotherApi({ policy: hastyPolicy });
});
afterAll(() => stack.close());

/** A run whose history is to be recorded. */
interface Run {
  readonly userId: string;
  readonly registrationNumber: string;
  /** What the member keys in. */
  readonly code: string;
}

interface Way {
  /** Where the registration is asked for, which decides its policy. */
  readonly api?: string;
  /** Of the first project. */
  readonly member?: number;
  /** What happens in addition to the simulator's behaviour. */
  readonly meanwhile?: (run: Run) => Promise<unknown>;
}

const unavailable = () => Promise.reject(new PaymentGatewayUnavailable('Unavailable in this recording.'));

async function start(overrides: Readonly<Record<string, unknown>>, { api, member }: Way): Promise<Run> {
  const project = stack.projects[0];
  const body = registration(project, member ?? nextMember++, overrides);
  const answer = await call(api ?? stack.url, project, '/ars/register', body);
  expect(answer.body.response.code).toBe('000_000');
  const { bankAccRegNo, authNumber } = answer.body;
  return {
    userId: String(body['userId']),
    registrationNumber: String(bankAccRegNo),
    code: String(authNumber),
  };
}

/** Waits for the end of a run, and keeps its history. @returns its result */
async function finish(path: Path, workflowId: string): Promise<unknown> {
  const handle = stack.temporal.workflow.getHandle(workflowId);
  const result: unknown = await handle.result();
  await keep(path, handle);
  return result;
}

async function keep(path: Path, handle: WorkflowHandle): Promise<void> {
  saveHistory(path, await handle.fetchHistory());
  recorded.add(path);
}

const recorded = new Set<Path>();

/** Has a member register, and keeps the history. @returns how it ended */
async function record(
  path: Path,
  overrides: Readonly<Record<string, unknown>>,
  way: Way = {},
): Promise<unknown> {
  const run = await start(overrides, way);
  await way.meanwhile?.(run);
  return await finish(path, memberWorkflowId(run.userId));
}

const handleOf = ({ userId }: Run) => stack.temporal.workflow.getHandle(memberWorkflowId(userId));

/** Waits until the payment gateway may have been asked to register. */
async function untilAttempted({ registrationNumber }: Run): Promise<void> {
  const attempt = () => stack.stores.ledger.find(registrationNumber, 'REGISTRATION', 'OPEN');
  await vi.waitFor(async () => expect(await attempt()).toBeDefined(), 20_000);
}

async function untilStep(run: Run, step: RegistrationStep): Promise<void> {
  await vi.waitFor(
    async () => expect((await handleOf(run).query(registrationStateQuery))?.step).toBe(step),
    20_000,
  );
}

const cancelAt = (step: RegistrationStep) => async (run: Run) => {
  await untilStep(run, step);
  await handleOf(run).cancel();
};

const registered: RegistrationOutcome = { status: 'BANK_ACC_REGISTERED', resultCode: '000_000' };
const callFailed: RegistrationOutcome = { status: 'ARS_AUTH_FAILED', resultCode: '002_014' };
const failed = (resultCode: RegistrationOutcome['resultCode']): RegistrationOutcome => ({
  status: 'BANK_ACC_REG_FAILED',
  resultCode,
});
const account = (digits: string) => ({ bankAccount: `1101234${digits}` });
const phone = (digits: string) => ({ mobileNumber: `0101234${digits}` });

describe.concurrent('what the simulator can do', () => {
  it.for<[Path, Readonly<Record<string, unknown>>, RegistrationOutcome]>([
    ['registered', {}, registered],
    ['real-name-check-002_901-name', account('9001'), failed('002_901')],
    ['real-name-check-002_902-birth-date', account('9098'), failed('002_902')],
    ['real-name-check-002_903-no-account', account('9091'), failed('002_903')],
    ['real-name-check-002_904-closed', account('9092'), failed('002_904')],
    ['real-name-check-002_905-dormant', account('9093'), failed('002_905')],
    ['real-name-check-002_906-wrong-kind', account('9094'), failed('002_906')],
    ['real-name-check-002_907-deceased', account('9095'), failed('002_907')],
    ['real-name-check-002_908-accident', account('9096'), failed('002_908')],
    ['real-name-check-002_909-seized', account('9097'), failed('002_909')],
    ['ars-call-no-answer-once', phone('0002'), registered],
    ['ars-call-no-answer-twice', phone('0001'), callFailed],
    ['ars-call-wrong-code', phone('0003'), callFailed],
    ['ars-call-callback-lost', phone('0006'), registered],
    ['ars-call-callback-early', phone('0007'), registered],
    ['ars-call-callback-three-times', phone('0005'), registered],
    ['ars-call-no-outcome', phone('0009'), callFailed],
    ['payment-gateway-002_015-lifetime-account', account('9002'), failed('002_015')],
    ['payment-gateway-002_016-restricted', account('9003'), failed('002_016')],
    ['payment-gateway-answer-lost', account('9004'), registered],
    ['payment-gateway-unanswered', account('9005'), registered],
    ['payment-gateway-callback', account('9006'), registered],
    ['payment-gateway-unavailable-twice', account('9007'), registered],
  ])('%s', async ([path, overrides, ending]) => {
    expect(await record(path, overrides)).toEqual(ending);
  });

  it('account-changed and its removal', async () => {
    const member = nextMember++;
    const old = await start({ bankAccount: '11011111111' }, { member });
    expect(await handleOf(old).result()).toEqual(registered);
    expect(await record('account-changed', { bankAccount: '11022222222' }, { member })).toEqual(registered);
    await finish('account-changed-removal', removalWorkflowId(old.registrationNumber));
  });

  it('ars-call-callback-late-or-foreign', async () => {
    expect(
      await record(
        'ars-call-callback-late-or-foreign',
        { ...phone('0002'), ...account('9006') },
        {
          meanwhile: async (run) => {
            const { registrationNumber } = run;
            const tell = (reference: string, attempt: number, outcome: ArsOutcome) =>
              sendCallback(stack, {
                type: 'ARS',
                reference,
                attempt,
                callId: 'OFANOTHERONE',
                state: 'FAILED',
                outcome,
              });
            await tell(registrationNumber.replace(/.$/, '0'), 1, 'WRONG_CODE');
            await untilStep(run, 'PAYMENT_GATEWAY_REGISTRATION');
            await tell(registrationNumber, 1, 'WRONG_CODE');
            await tell(registrationNumber, 2, 'NO_ANSWER');
          },
        },
      ),
    ).toEqual(registered);
  });

  it('payment-gateway-refuses-by-callback', async () => {
    expect(
      await record('payment-gateway-refuses-by-callback', account('9006'), {
        meanwhile: async (run) => {
          await untilAttempted(run);
          const { registrationNumber: reference } = run;
          const refusal = { type: 'REGISTRATION', reference, state: 'REFUSED', reason: 'ACCOUNT_SEIZED' };
          expect(await sendCallback(stack, refusal)).toBe(200);
        },
      }),
    ).toEqual(failed('002_909'));
  });

  it('cancelled-during-ars-call', async () => {
    expect(
      await record('cancelled-during-ars-call', phone('0008'), {
        meanwhile: cancelAt('ARS_CALL'),
      }),
    ).toEqual(failed('002_914'));
  });

  it('cancelled-by-the-service-provider', async () => {
    const path = 'cancelled-by-the-service-provider';
    const ending = await record(path, phone('0008'), {
      meanwhile: async (run) => {
        await untilStep(run, 'ARS_CALL');
        const regNo = run.registrationNumber;
        const { body } = await call(stack.url, stack.projects[0], '/ars/register/cancel', {
          regNo,
          action: 'cancel',
        });
        expect(body.response.code).toBe('000_000');
      },
    });
    expect(ending).toEqual(failed('002_914'));
  });

  it('resumed-during-ars-call', async () => {
    const path = 'resumed-during-ars-call';
    const run = await start({ ...phone('0008') }, {});
    await untilStep(run, 'ARS_CALL');
    await vi.waitFor(async () => expect(await callsOf(run)).toHaveLength(1), 10_000);
    const { exitCode } = await operate(stack, 'resume', '--number', run.registrationNumber);
    expect(exitCode).toBe(0);
    await untilStep(run, 'ARS_CALL');
    await answerPhone(stack.simulatorUrl, run.registrationNumber, run.code);
    expect(await finish(path, memberWorkflowId(run.userId))).toEqual(registered);
    expect(await callsOf(run)).toHaveLength(1);
  });

  it('cancelled-too-late', async () => {
    expect(
      await record('cancelled-too-late', account('9006'), {
        meanwhile: async (run) => {
          await untilAttempted(run);
          await handleOf(run).cancel();
        },
      }),
    ).toEqual(registered);
  });
});

describe('what takes a worse payment gateway', () => {
  afterEach(() => {
    faults = {};
  });

  it('account-changed-removal-repeated', async () => {
    const member = nextMember++;
    const old = await start({ bankAccount: '11011111111' }, { member });
    expect(await handleOf(old).result()).toEqual(registered);
    faults = { removeRegistration: unavailable };
    const replacement = await start({ bankAccount: '11022222222' }, { member });
    expect(await handleOf(replacement).result()).toEqual(registered);
    const removal = removalWorkflowId(old.registrationNumber);
    await vi.waitFor(async () => expect(await attemptsOf(removal)).toBeGreaterThan(1), 10_000);
    faults = {};
    await finish('account-changed-removal-repeated', removal);
  });

  it('real-name-check-002_913-given-up', async () => {
    faults = { inquireAccountHolder: unavailable };
    expect(await record('real-name-check-002_913-given-up', {}, { api: hastyApi })).toEqual(
      failed('002_913'),
    );
  });

  it('ars-call-not-placed', async () => {
    faults = {
      placeArsCall: () => Promise.reject(new NothingSent('It cannot be reached, says the recorder.')),
    };
    expect(await record('ars-call-not-placed', {}, { api: hastyApi })).toEqual(callFailed);
  });

  it('ars-call-answer-lost', async () => {
    faults = { placeArsCall: (order, signal) => simulated.placeArsCall(order, signal).then(unavailable) };
    expect(await record('ars-call-answer-lost', {})).toEqual(registered);
  });

  it('evidence-002_910-never-ready', async () => {
    faults = { fetchRecording: async () => undefined };
    expect(await record('evidence-002_910-never-ready', {}, { api: hastyApi })).toEqual(failed('002_910'));
  });

  it('evidence-002_910-invalid', async () => {
    faults = { fetchRecording: async () => Buffer.from('no recording') };
    expect(await record('evidence-002_910-invalid', {})).toEqual(failed('002_910'));
  });

  it('payment-gateway-002_910-evidence-refused', async () => {
    faults = { register: async () => ({ state: 'REFUSED', reason: 'EVIDENCE_INVALID' }) };
    expect(await record('payment-gateway-002_910-evidence-refused', {})).toEqual(failed('002_910'));
  });

  it('payment-gateway-callback-lost', async () => {
    faults = {
      register: async (order, signal) => {
        await simulated.register(order, signal);
        return { state: 'ACCEPTED' };
      },
    };
    expect(await record('payment-gateway-callback-lost', {})).toEqual(registered);
  });

  it.for<[Path, RegistrationOutcome, (run: Run) => Promise<unknown>]>([
    ['review-resolved-as-registered', registered, (run) => resolveReview(run, 'REGISTERED')],
    ['review-resolved-as-not-registered', failed('002_912'), (run) => resolveReview(run, 'NOT_REGISTERED')],
    [
      'review-ended-by-callback',
      registered,
      ({ registrationNumber: reference }) =>
        sendCallback(stack, { type: 'REGISTRATION', reference, state: 'REGISTERED' }),
    ],
  ])('%s', async ([path, ending, decide]) => {
    faults = { register: unavailable, inquireRegistration: unavailable };
    expect(
      await record(
        path,
        {},
        {
          api: hastyApi,
          meanwhile: async (run) => {
            await untilStep(run, 'REVIEW');
            await decide(run);
          },
        },
      ),
    ).toEqual(ending);
  });

  it('cancelled-during-real-name-check', async () => {
    faults = { inquireAccountHolder: unavailable };
    expect(
      await record(
        'cancelled-during-real-name-check',
        {},
        {
          meanwhile: cancelAt('ACCOUNT_HOLDER_CHECK'),
        },
      ),
    ).toEqual(failed('002_914'));
  });

  it('cancelled-during-evidence', async () => {
    faults = { fetchRecording: async () => undefined };
    expect(
      await record(
        'cancelled-during-evidence',
        {},
        {
          meanwhile: cancelAt('CONSENT_EVIDENCE'),
        },
      ),
    ).toEqual(failed('002_914'));
  });
});

describe('what takes a time of day or a closed bank', () => {
  afterEach(async () => {
    faults = {};
    for (const { bankWindowId } of await stack.stores.bankWindows.list()) {
      await stack.stores.bankWindows.remove(bankWindowId);
    }
  });
  const closeFor = (milliseconds: number) =>
    stack.stores.bankWindows.add('003', {
      once: { startsAt: new Date(Date.now() - 1_000), endsAt: new Date(Date.now() + milliseconds) },
    });
  /** The bank closes while the recording is fetched, so before the registration. */
  const closeAfterTheCall = (milliseconds: number): PaymentGatewayFaults => ({
    fetchRecording: async (callId, signal) => {
      await closeFor(milliseconds);
      return await simulated.fetchRecording(callId, signal);
    },
  });
  const apiWith = (arsCall: Partial<RegistrationPolicy['arsCall']>) =>
    stack.startAnotherApi({
      policy: { ...hastyPolicy, arsCall: { ...hastyPolicy.arsCall, ...arsCall } },
    });
  const callingHoursIn = (milliseconds: number) => {
    const from = timeOfKoreanDay(Date.now() + milliseconds);
    return { callingHours: { from, until: timeOfKoreanDay(Date.now() + milliseconds + 3_600_000) } };
  };

  it('ars-call-limit-reached', async () => {
    const api = await apiWith({ dailyLimits: { ...hastyPolicy.arsCall.dailyLimits, member: 1 } });
    const path = 'ars-call-limit-reached';
    expect(await record(path, phone('0001'), { api })).toEqual(callFailed);
  });

  it('ars-call-postponed', async () => {
    let isOpen = false;
    faults = {
      placeArsCall: (order, signal) => {
        if (isOpen) return simulated.placeArsCall(order, signal);
        isOpen = true;
        throw new CircuitOpen('PAYMENT_GATEWAY_UNAVAILABLE', Date.now() + 300);
      },
    };
    expect(await record('ars-call-postponed', {})).toEqual(registered);
  });

  it('ars-call-outside-calling-hours', async () => {
    const api = await apiWith(callingHoursIn(3_000));
    expect(await record('ars-call-outside-calling-hours', {}, { api })).toEqual(registered);
  });

  it('cancelled-outside-calling-hours', async () => {
    const api = await apiWith(callingHoursIn(3_600_000));
    const way = { api, meanwhile: cancelAt('ARS_CALL') };
    expect(await record('cancelled-outside-calling-hours', {}, way)).toEqual(failed('002_914'));
  });

  it('bank-closed-before-the-check', async () => {
    await closeFor(2_000);
    expect(await record('bank-closed-before-the-check', {})).toEqual(registered);
  });

  it('bank-closed-before-the-check-002_918', async () => {
    await closeFor(60_000);
    const path = 'bank-closed-before-the-check-002_918';
    expect(await record(path, {}, { api: hastyApi })).toEqual(failed('002_918'));
  });

  it('bank-closed-before-the-registration', async () => {
    faults = closeAfterTheCall(2_000);
    expect(await record('bank-closed-before-the-registration', {})).toEqual(registered);
  });

  it('bank-closed-before-the-registration-002_918', async () => {
    faults = closeAfterTheCall(60_000);
    const path = 'bank-closed-before-the-registration-002_918';
    expect(await record(path, {}, { api: hastyApi })).toEqual(failed('002_918'));
  });

  it('bank-closed-between-attempts', async () => {
    let attempts = 0;
    faults = {
      register: async (order, signal) => {
        if (++attempts > 1) return await simulated.register(order, signal);
        await closeFor(4_000);
        throw new PaymentGatewayUnavailable('Unavailable in this recording.');
      },
    };
    expect(await record('bank-closed-between-attempts', {})).toEqual(registered);
  });
});

describe('what follows a registration', () => {
  afterEach(() => {
    faults = {};
  });

  it.for<[Path, string, PaymentGatewayFaults]>([
    ['auto-charge-registered', '000_000', {}],
    ['auto-charge-refused', '002_917', { registerAutoCharge: async () => false }],
  ])('%s', async ([path, code, theseFaults]) => {
    const member = await memberWithAccount();
    faults = theseFaults;
    await ask('/as-rcg-svc/ars/register', member);
    expect(await finish(path, memberWorkflowId(member.userId))).toEqual({ resultCode: code });
  });

  it('deleted-removal', async () => {
    const member = await memberWithAccount();
    await ask('/delete', member);
    const removal = removalWorkflowId(member.registrationNumber);
    expect(await finish('deleted-removal', removal)).toBeUndefined();
  });

  it('auto-charge-without-account', async () => {
    const { userId } = stack.projects[0].members[nextMember++]!;
    await ask('/as-rcg-svc/ars/register', { userId });
    const path = 'auto-charge-without-account';
    expect(await finish(path, memberWorkflowId(userId))).toEqual({ resultCode: '002_916' });
  });

  it.for<
    [
      Path,
      Path | undefined,
      Readonly<Record<string, unknown>>,
      RegistrationOutcome,
      readonly number[],
      NotificationState,
    ]
  >([
    [
      'result-notification-delivered',
      'result-notification-for-registered',
      {},
      registered,
      [200],
      'DELIVERED',
    ],
    ['result-notification-delivered-at-last', undefined, {}, registered, [500, 503, 200], 'DELIVERED'],
    [
      'result-notification-unwanted',
      'result-notification-for-failed',
      account('9001'),
      failed('002_901'),
      [410],
      'GONE',
    ],
    ['result-notification-exhausted', undefined, {}, registered, [500, 500, 500], 'EXHAUSTED'],
  ])('%s', async ([path, registrationPath, overrides, ending, statuses, state]) => {
    const { aspId } = stack.projects[0];
    const receiver = await startNotificationReceiver();
    receiver.answerWith(...statuses.map((status) => ({ ...acknowledgement, status })));
    onTestFinished(async () => {
      receiver.close();
      await stack.stores.projects.setNotificationUrl(aspId, null);
    });
    await stack.stores.projects.setNotificationUrl(aspId, receiver.url);

    const run = await start(overrides, { api: hastyApi });
    const end = registrationPath
      ? await finish(registrationPath, memberWorkflowId(run.userId))
      : await handleOf(run).result();
    expect(end).toEqual(ending);
    expect(await finish(path, notificationWorkflowId(run.registrationNumber))).toBe(state);
    expect(receiver.received).toHaveLength(statuses.length);
  });
});

describe('reconciliations', () => {
  afterEach(() => {
    faults = {};
  });

  it('ledger-reconciled', async () => {
    await memberWithAccount();
    const { firstExecutionRunId } = await startReconciliation(500);
    expect(await finish('ledger-reconciled', reconciliationWorkflowId)).toBe(firstExecutionRunId);
  });

  it('ledger-reconciled-with-findings', async () => {
    const { registrationNumber } = await memberWithAccount();
    await simulated.removeRegistration(registrationNumber, AbortSignal.timeout(5_000));
    await startReconciliation(2);
    const id = String(await finish('ledger-reconciled-with-findings', reconciliationWorkflowId));
    expect(await stack.stores.reconciliations.listFindings(id, '', 10)).toContainEqual(
      expect.objectContaining({ registrationNumber }),
    );
  });

  it('ledger-reconciliation-left-behind and continued', async () => {
    const { firstExecutionRunId } = await startReconciliation(1);
    await finish('ledger-reconciliation-continued', reconciliationWorkflowId);
    const first = stack.temporal.workflow.getHandle(reconciliationWorkflowId, firstExecutionRunId);
    expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');
    await keep('ledger-reconciliation-left-behind', first);
  });

  it('ledger-reconciliation-repeated', async () => {
    faults = { listRegistrations: unavailable };
    const { firstExecutionRunId } = await startReconciliation(500);
    await vi.waitFor(
      async () => expect(await attemptsOf(reconciliationWorkflowId)).toBeGreaterThan(1),
      10_000,
    );
    faults = {};
    const id = await finish('ledger-reconciliation-repeated', reconciliationWorkflowId);
    expect(id).toBe(firstExecutionRunId);
  });
});

it('evidence-purged', async () => {
  const workflowId = 'purge-expired-evidence';
  await stack.temporal.workflow.start(workflowTypes.purgeEvidence, { workflowId, taskQueue });
  expect(await finish('evidence-purged', workflowId)).toEqual({ purged: 0 });
});

it('has recorded every path', () => {
  expect([...recorded].toSorted()).toEqual([...paths].toSorted());
});

async function memberWithAccount(): Promise<Run> {
  const run = await start({}, {});
  expect(await handleOf(run).result()).toEqual(registered);
  return run;
}

/** Requests another operation of a member and ignores the answer. */
async function ask(endpoint: string, { userId }: Pick<Run, 'userId'>): Promise<void> {
  await call(stack.url, stack.projects[0], endpoint, { userId });
}

async function resolveReview({ registrationNumber }: Run, verdict: ReviewVerdict): Promise<void> {
  const said = ['--reason', 'It was looked up.', '--despite-payment-gateway'];
  const command = ['resolve', '--number', registrationNumber, '--verdict', verdict, ...said];
  expect(await operate(stack, ...command)).toMatchObject({ exitCode: 0 });
}

async function callsOf({ registrationNumber }: Run): Promise<object[]> {
  const answer = await fetch(`${stack.simulatorUrl}/simulator/calls?reference=${registrationNumber}`);
  return (await answer.json()) as object[];
}

async function startReconciliation(pageSize: number) {
  return await stack.temporal.workflow.start(workflowTypes.reconcile, {
    workflowId: reconciliationWorkflowId,
    taskQueue,
    args: [{ pageSize } satisfies ReconciliationInput],
  });
}

/** How often the one activity of a run has been tried. */
async function attemptsOf(workflowId: string): Promise<number> {
  const { raw } = await stack.temporal.workflow.getHandle(workflowId).describe();
  return raw.pendingActivities?.[0]?.attempt ?? 0;
}
