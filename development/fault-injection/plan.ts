import { createHash } from 'node:crypto';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';
import { runActs } from './run-faults.ts';
import type { RunAct } from './run-faults.ts';

/** The processes that are killed. */
export const processNames = ['worker', 'secondWorker', 'api', 'simulator', 'temporal', 'database'] as const;

/** One of {@link processNames}. */
export type ProcessName = (typeof processNames)[number];

/** The connections through a proxy, named after their targets. */
export const pathNames = ['api', 'database', 'temporal', 'paymentGateway', 'notificationReceiver'] as const;

/** One of {@link pathNames}. */
export type PathName = (typeof pathNames)[number];

/** A fault to inject. Times in ms. */
export type Fault =
  | { readonly kind: 'KILL'; readonly process: ProcessName; readonly downMs: number }
  | { readonly kind: 'CUT'; readonly path: PathName }
  | { readonly kind: 'REFUSE'; readonly path: PathName; readonly durationMs: number }
  | { readonly kind: 'STALL'; readonly path: PathName; readonly durationMs: number }
  /** The database commits, or carries out a statement on its own, and the response is lost. */
  | { readonly kind: 'LOSE_ANSWERS'; readonly to: LostAnswer; readonly durationMs: number }
  /** Somebody with Temporal's tools does something to one of the latest runs. */
  | { readonly kind: 'RUN'; readonly act: RunAct; readonly choice: number }
  /** The Temporal server is killed, and comes back with an empty database. */
  | { readonly kind: 'EMPTY_TEMPORAL'; readonly downMs: number }
  /** The database is put back to how it was `agoMs` before, and an operator does what docs/disaster-recovery.md says. */
  | { readonly kind: 'RESTORE_DATABASE'; readonly agoMs: number };

/** The statements whose answers are lost. */
export const lostAnswers = ['commit', 'insert', 'update'] as const;

/** One of {@link lostAnswers}. */
export type LostAnswer = (typeof lostAnswers)[number];

/** A fault and its time: `delayMs` after `afterRegistrations` registrations have been requested. */
export interface PlannedFault {
  readonly afterRegistrations: number;
  readonly delayMs: number;
  readonly fault: Fault;
}

/** What a service provider does for a member. */
export type MemberOperation =
  | {
      readonly kind: 'REGISTER';
      readonly accountNumber: string;
      readonly mobileNumber: string;
      /** Requested twice at once. */
      readonly isDoubled: boolean;
      /** The response to the first request is lost. */
      readonly losesAnswer: boolean;
      /** Cancelled this many ms after it was accepted. */
      readonly cancelAfterMs?: number;
    }
  | { readonly kind: 'DELETE' };

/** What happens to one callback of the payment gateway on its way. Times in ms. */
export type CallbackBehaviour =
  | { readonly kind: 'PASS' | 'DROP' | 'LOSE_ANSWER' | 'REORDER' }
  | { readonly kind: 'DELAY' | 'DUPLICATE'; readonly delayMs: number };

/** How the service provider handles one delivered result notification. Times in ms. */
export type ReceiverBehaviour =
  | { readonly kind: 'TAKE' | 'FAIL' | 'ASK_TO_WAIT' | 'TAKE_BUT_LOSE_ANSWER' }
  | { readonly kind: 'TAKE_LATE'; readonly delayMs: number };

/** Everything that the seed decides. */
export interface Plan {
  readonly seed: number;
  /** The operations of each member, one after the other. */
  readonly members: readonly (readonly MemberOperation[])[];
  readonly faults: readonly PlannedFault[];
  /** Applied to the callbacks in order of arrival, starting over at the end. */
  readonly callbacks: readonly CallbackBehaviour[];
  /** Applied to the result notifications in order of arrival, starting over at the end. */
  readonly results: readonly ReceiverBehaviour[];
}

/** Last four digits of accounts and phones, which select their behaviour; see development/simulator/README.md. */
const endings: readonly (readonly [weight: number, ending: { account: string; phone: string }])[] = [
  [30, { account: '5678', phone: '1234' }],
  [9, { account: '9004', phone: '1234' }],
  [5, { account: '9005', phone: '1234' }],
  [6, { account: '9006', phone: '1234' }],
  [4, { account: '9007', phone: '1234' }],
  [4, { account: '9008', phone: '1234' }],
  [6, { account: '5678', phone: '0005' }],
  [6, { account: '5678', phone: '0006' }],
  [6, { account: '5678', phone: '0007' }],
  [4, { account: '5678', phone: '0002' }],
  [2, { account: '9004', phone: '0002' }],
  [2, { account: '9006', phone: '0005' }],
  [2, { account: '9004', phone: '0006' }],
  [3, { account: '5678', phone: '0020' }],
  ...['9001', '9002', '9003', '9091', '9094', '9098'].map(
    (account) => [1, { account, phone: '1234' }] as const,
  ),
  ...['0001', '0003', '0004', '0009', '0091', '0092', '0093', '0094', '0095'].map(
    (phone) => [1, { account: '5678', phone }] as const,
  ),
];

/** Registrations per round of faults. A round kills each process once and injects as many faults of each other sort. */
const registrationsPerRound = 60;

/** Creates the plan of a seed. The same seed always gives the same plan. */
export function createPlan(seed: number, registrations: number): Plan {
  const random = createRandom(seed);
  return {
    seed,
    members: planMembers(random, registrations),
    faults: planFaults(random, registrations),
    callbacks: Array.from({ length: 499 }, () => planCallback(random)),
    results: Array.from({ length: 499 }, () => planResult(random)),
  };
}

/** Identifies a plan: the first 16 hexadecimal digits of its SHA-256. */
export function digestOf(plan: Plan): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
}

function planMembers(random: Random, registrations: number): MemberOperation[][] {
  const members: MemberOperation[][] = [];
  let rest = registrations;
  while (rest > 0) {
    const count = Math.min(
      rest,
      random.weighted([
        [30, 1],
        [35, 2],
        [25, 3],
        [10, 4],
      ] as const),
    );
    rest -= count;
    members.push(
      Array.from({ length: count }, () => [
        planRegistration(random),
        ...(random.chance(10) ? [{ kind: 'DELETE' } as const] : []),
      ]).flat(),
    );
  }
  return members;
}

function planRegistration(random: Random): MemberOperation {
  const { account, phone } = random.weighted(endings);
  const digits = (count: number): string => String(random.below(10 ** count)).padStart(count, '0');
  return {
    kind: 'REGISTER',
    accountNumber: `77${digits(8)}${account}`,
    mobileNumber: `010${digits(4)}${phone}`,
    isDoubled: random.chance(8),
    losesAnswer: random.chance(10),
    ...(random.chance(6) && { cancelAfterMs: random.between(0, 2_500) }),
  };
}

function planFaults(random: Random, registrations: number): PlannedFault[] {
  const rounds = Math.max(1, Math.round(registrations / registrationsPerRound));
  const faults = Array.from({ length: rounds }, (_, round): Fault[] => [
    ...processNames.map((process) => ({ kind: 'KILL', process, downMs: random.between(0, 3_000) }) as const),
    ...pathNames.map((path) => planPathFault(random, path)),
    ...lostAnswers.map(
      (to) => ({ kind: 'LOSE_ANSWERS', to, durationMs: random.between(500, 2_500) }) as const,
    ),
    ...runActs.map((act) => ({ kind: 'RUN', act, choice: random.below(1_000) }) as const),
    // Once in a run: what was under way then has no run any more.
    ...(round === 0 ? [{ kind: 'EMPTY_TEMPORAL', downMs: random.between(0, 2_000) } as const] : []),
    // Once in a run, and last: what was sent since the time of the backup has to be found out.
    ...(round === rounds - 1
      ? [{ kind: 'RESTORE_DATABASE', agoMs: random.between(2_000, 60_000) } as const]
      : []),
  ]).flatMap((ofRound) => random.shuffled(ofRound));
  return faults.map((fault, index) => ({
    afterRegistrations: Math.ceil(((index + 0.5) * registrations) / faults.length),
    delayMs: random.below(1_500),
    fault,
  }));
}

function planPathFault(random: Random, path: PathName): Fault {
  const kind = random.weighted([
    [1, 'CUT'],
    [1, 'REFUSE'],
    [1, 'STALL'],
  ] as const);
  if (kind === 'CUT') return { kind, path };
  return { kind, path, durationMs: random.between(1_000, 4_000) };
}

function planCallback(random: Random): CallbackBehaviour {
  const kind = random.weighted([
    [46, 'PASS'],
    [10, 'DROP'],
    [8, 'LOSE_ANSWER'],
    [8, 'REORDER'],
    [10, 'DELAY'],
    [18, 'DUPLICATE'],
  ] as const);
  if (kind === 'DELAY') return { kind, delayMs: random.between(300, 4_000) };
  if (kind === 'DUPLICATE') return { kind, delayMs: random.between(100, 9_000) };
  return { kind };
}

function planResult(random: Random): ReceiverBehaviour {
  const kind = random.weighted([
    [60, 'TAKE'],
    [12, 'FAIL'],
    [6, 'ASK_TO_WAIT'],
    [12, 'TAKE_BUT_LOSE_ANSWER'],
    [10, 'TAKE_LATE'],
  ] as const);
  if (kind === 'TAKE_LATE') return { kind, delayMs: random.between(500, 4_000) };
  return { kind };
}
