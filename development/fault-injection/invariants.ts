import { registrationTransitions } from '../../wire/registration-status.ts';
import type { RegistrationStatus } from '../../wire/registration-status.ts';
import type { Observations } from './observer.ts';
import type { ObservedStatus } from './service-provider.ts';
import { codes } from '../../wire/result-codes.ts';

/** A property that must hold whatever happens. */
export interface Invariant {
  readonly name: string;
  /** Returns how many items were checked, and a description of each violation. */
  check(observations: Observations): { readonly checked: number; readonly broken: readonly string[] };
}

/** The result of checking an invariant. */
export interface Verdict extends ReturnType<Invariant['check']> {
  readonly name: string;
}

/** Checks all invariants. */
export function checkInvariants(observations: Observations): Verdict[] {
  return invariants.map((invariant) => ({ name: invariant.name, ...invariant.check(observations) }));
}

const invariants: readonly Invariant[] = [
  {
    name: 'every issued registration number ends or waits in REVIEW',
    check({ journal, registrations }) {
      const rows = new Map(registrations.map((row) => [row.registrationNumber, row]));
      return checkEach([...journal.statuses], ([number, observed]) => {
        const row = rows.get(number);
        if (!row) return `${number} was issued and is unknown`;
        const last = observed.at(-1)?.status;
        if (last && isEnd(last)) return undefined;
        return row.step === 'REVIEW' ? undefined : `${number} is still ${last ?? 'without a status'}`;
      });
    },
  },
  {
    name: 'no unfinished work: rows without an end, open runs',
    check({ registrations, runs }) {
      const inReview = new Set(
        registrations
          .filter(({ endedAt, step }) => !endedAt && step === 'REVIEW')
          .map(({ userId }) => userId),
      );
      return combine(
        checkEach(registrations, ({ registrationNumber, endedAt, status, step }) =>
          endedAt || step === 'REVIEW' ? undefined : `${registrationNumber} is still ${status}`,
        ),
        checkEach(runs, ({ workflowId, type, status }) =>
          status === 'RUNNING' && !inReview.has(workflowId)
            ? `${type} ${workflowId} is still running`
            : undefined,
        ),
      );
    },
  },
  {
    name: 'one registration at the payment gateway per number',
    check({ ledger, registrations }) {
      const entries = countBy(ledger, ({ bankAccRegNo }) => bankAccRegNo);
      return checkEach(registrations, ({ registrationNumber }) => {
        const count = entries.get(registrationNumber) ?? 0;
        return count > 1 ? `${registrationNumber} was registered ${count} times` : undefined;
      });
    },
  },
  {
    name: 'at most one usable account per member, and the expected one',
    check({ accounts, usableAccounts, journal }) {
      return checkEach([...usableAccounts], ([userId, usable]) => {
        const own = accounts.filter((account) => account.userId === userId);
        const latest = own.toSorted((one, other) => Number(other.activatedAt) - Number(one.activatedAt))[0];
        // Nothing replaced the latest account, so if it is out of use, it was deleted.
        const isDeleted = Boolean(latest?.retiredAt) && journal.deletedMembers.has(userId);
        const expected = latest && !isDeleted ? latest.registrationNumber : undefined;
        const active = own.filter(({ state }) => state === 'ACTIVE').length;
        if (active > 1) return `${userId} has ${active} active accounts`;
        if (usable !== undefined && journal.membersWithoutAccount.has(userId)) {
          return `${userId} still has ${usable}, although the deletion succeeded`;
        }
        return usable === expected
          ? undefined
          : `${userId} has ${usable ?? 'none'} instead of ${expected ?? 'none'}`;
      });
    },
  },
  {
    name: 'every registration reported as REGISTERED has an account, no other does',
    check({ accounts, journal }) {
      const everActive = new Set(accounts.map(({ registrationNumber }) => registrationNumber));
      return checkEach([...journal.statuses], ([number, observed]) => {
        const isRegistered = observed.some(({ status }) => status === 'BANK_ACC_REGISTERED');
        if (isRegistered === everActive.has(number)) return undefined;
        return `${number} ${isRegistered ? 'has no account' : 'has an account and was never reported as REGISTERED'}`;
      });
    },
  },
  {
    name: 'the payment gateway’s ledger equals ours',
    check({ accounts, ledger }) {
      const active = new Set(
        accounts
          .filter(({ state }) => state === 'ACTIVE')
          .map(({ registrationNumber }) => registrationNumber),
      );
      const registered = new Set(
        ledger.filter(({ state }) => state === 'REGISTERED').map(({ bankAccRegNo }) => bankAccRegNo),
      );
      const entered = new Set(ledger.map(({ bankAccRegNo }) => bankAccRegNo));
      return combine(
        checkEach(accounts, ({ registrationNumber, state }) => {
          if (!entered.has(registrationNumber))
            return `${registrationNumber} is unknown to the payment gateway`;
          if (state === 'ACTIVE' && !registered.has(registrationNumber))
            return `${registrationNumber} is active only in our database`;
          return state === 'ACTIVE' || state === 'REMOVED'
            ? undefined
            : `${registrationNumber} is still ${state}`;
        }),
        checkEach([...registered], (number) =>
          active.has(number) ? undefined : `${number} is registered only at the payment gateway`,
        ),
      );
    },
  },
  {
    name: 'no registration without evidence of consent, and all evidence verifies',
    check({ accounts, ledger, evidence }) {
      const stored = new Set(evidence.map(({ registrationNumber }) => registrationNumber));
      const numbers = new Set([
        ...accounts.map(({ registrationNumber }) => registrationNumber),
        ...ledger.map(({ bankAccRegNo }) => bankAccRegNo),
      ]);
      return combine(
        checkEach([...numbers], (number) => (stored.has(number) ? undefined : `${number} has no evidence`)),
        checkEach(evidence, ({ registrationNumber, problems }) =>
          problems.length > 0 ? `${registrationNumber}: ${problems.join(', ')}` : undefined,
        ),
      );
    },
  },
  {
    name: 'status moves only along the published table',
    check({ journal, restores }) {
      // What was under way when the database was restored is worked through again. Ends are not.
      const isLost = (from: ObservedStatus, to: ObservedStatus): boolean =>
        !isEnd(from.status) && restores.some((restore) => from.at > restore.to && to.askedAt > restore.at);
      // Concurrent inquiries have no order.
      const steps = [...journal.statuses].flatMap(([number, observed]) =>
        observed.flatMap((from) =>
          observed.filter((to) => to.askedAt >= from.at && to !== from).map((to) => ({ number, from, to })),
        ),
      );
      return checkEach(steps, ({ number, from, to }) => {
        if ((from.status === to.status && from.code === to.code) || isLost(from, to)) return undefined;
        return isReachable(from.status, to.status) && from.status !== to.status
          ? undefined
          : `${number} went from ${from.status} ${from.code ?? ''} to ${to.status} ${to.code ?? ''}`;
      });
    },
  },
  {
    name: 'results are numbered per member without gaps, and repetitions are equal',
    check({ received, results, restores }) {
      const byNumber = groupBy(
        received,
        ({ bankAccRegNo, sequence }) => `${bankAccRegNo} ${lifeOf(sequence)}`,
      );
      const contents = groupBy(received, ({ bankAccRegNo }) => bankAccRegNo);
      const members = groupBy(received, ({ userId }) => userId);
      const rows = groupBy(results, ({ userId }) => userId);
      return combine(
        checkEach([...byNumber], ([number, notifications]) =>
          new Set(notifications.map((each) => JSON.stringify(each))).size > 1
            ? `${number} had notifications with different contents`
            : undefined,
        ),
        checkEach([...contents], ([number, notifications]) =>
          new Set(notifications.map(({ status, response }) => `${status} ${response.code}`)).size > 1
            ? `${number} was notified of different results`
            : undefined,
        ),
        checkEach([...members], ([userId, notifications]) =>
          findGap(
            userId,
            // A restore may have lost a result that was numbered and had reached nobody: it gets a number of the next life.
            [...new Set(notifications.map(({ sequence }) => sequence))].filter(
              (sequence) => lifeOf(sequence) >= restores.length,
            ),
          ),
        ),
        checkEach([...rows], ([userId, own]) =>
          findGap(
            userId,
            own.map(({ sequence }) => sequence),
          ),
        ),
      );
    },
  },
  {
    name: 'the service provider is notified of every result, correctly',
    check({ registrations, received, invalidNotifications, journal }) {
      const notified = new Map(received.map((result) => [result.bankAccRegNo, result]));
      return combine(
        checkEach(
          registrations.filter(({ endedAt }) => endedAt),
          ({ registrationNumber, status, resultCode }) => {
            const result = notified.get(registrationNumber);
            if (!result) return `${registrationNumber} was never notified`;
            const seen = journal.statuses.get(registrationNumber)?.at(-1);
            const isCorrect =
              result.status === status &&
              result.response.code === resultCode &&
              (!seen || (seen.status === status && (seen.code ?? codes.SUCCESS) === resultCode));
            return isCorrect
              ? undefined
              : `${registrationNumber} was notified as ${result.status} and is ${status}`;
          },
        ),
        checkEach(invalidNotifications, (problem) => problem),
      );
    },
  },
  {
    name: 'at most one call per attempt',
    check({ calls }) {
      const callCounts = countBy(calls, ({ reference, attempt }) => `${reference} attempt ${attempt}`);
      return checkEach([...callCounts], ([attempt, count]) =>
        count > 1 ? `${attempt} was called ${count} times` : undefined,
      );
    },
  },
  {
    name: 'no call and no registration for an unknown registration number',
    check({ calls, ledger, registrations }) {
      const known = new Set(registrations.map(({ registrationNumber }) => registrationNumber));
      const numbers = new Set([
        ...calls.map(({ reference }) => reference),
        ...ledger.map(({ bankAccRegNo }) => bankAccRegNo),
      ]);
      return checkEach([...numbers], (number) => (known.has(number) ? undefined : `${number} is unknown`));
    },
  },
  {
    name: 'one operation per member at a time',
    check({ registrations, runs, restores }) {
      // What a restore lost is brought back after it, so it ends later than the registration did.
      const isBroughtBack = ({ from, to }: { from: number; to: number }): boolean =>
        restores.some(({ at }) => from < at && to > at);
      // An accepted request that waits for its start is no operation yet: it begins, or it is withdrawn.
      const periods = [
        ...registrations.flatMap(({ userId, registrationNumber, begunAt, endedAt }) =>
          begunAt && endedAt
            ? [
                {
                  member: `${userId} by rows`,
                  what: registrationNumber,
                  from: Number(begunAt),
                  to: Number(endedAt),
                },
              ]
            : [],
        ),
        ...runs
          .filter(({ workflowId }) => /^\d+$/.test(workflowId))
          .map(({ workflowId, runId, startTime, closeTime }) => ({
            member: `${workflowId} by runs`,
            what: runId,
            from: Number(startTime),
            to: Number(closeTime ?? Number.POSITIVE_INFINITY),
          })),
      ];
      const checked = periods.filter((period) => !period.member.endsWith('rows') || !isBroughtBack(period));
      return checkEach([...groupBy(checked, ({ member }) => member)], ([member, own]) => {
        const inOrder = own.toSorted((one, other) => one.from - other.from);
        const overlap = inOrder.find((period, index) => index > 0 && period.from < inOrder[index - 1]!.to);
        return overlap && `${member}: ${overlap.what} started before the previous operation ended`;
      });
    },
  },
  {
    name: 'a cancelled registration is not registered, no other counts as cancelled',
    check({ journal: { cancelled, tooLateToCancel }, registrations }) {
      const rows = new Map(registrations.map((row) => [row.registrationNumber, row]));
      return checkEach([...cancelled, ...tooLateToCancel], (number) => {
        const code = rows.get(number)?.resultCode;
        if ((code === codes.CANCELLED) === cancelled.has(number)) return undefined;
        return `${number} ended with ${code}, and its cancellation was ${cancelled.has(number) ? 'accepted' : 'too late'}`;
      });
    },
  },
  {
    name: 'a request that was refused or answered with 503 has registered nothing',
    check({ journal: { statuses, unanswered }, registrations }) {
      return checkEach([...groupBy(registrations, ({ userId }) => userId)], ([userId, own]) => {
        const unknown = own.filter(({ registrationNumber }) => !statuses.has(registrationNumber)).length;
        const possible = unanswered.get(userId) ?? 0;
        return unknown > possible
          ? `${userId}: ${unknown} numbers reached nobody, and ${possible} requests had no answer`
          : undefined;
      });
    },
  },
  {
    name: 'no internal error and no unexpected response',
    check({ journal, internalErrors }) {
      const answers = [...journal.statuses.values()].reduce((sum, { length }) => sum + length, 0);
      const internalErrorCount = journal.unavailable.get(codes.INTERNAL_ERROR) ?? 0;
      return {
        checked: answers,
        broken: [
          ...(internalErrorCount > 0 ? [`000_990 was returned ${internalErrorCount} times`] : []),
          ...internalErrors,
          ...journal.unexpected,
        ],
      };
    },
  },
  {
    name: 'no workflow fails, no non-determinism error',
    check({ runs, nonDeterminism }) {
      // Only the faults terminate runs, by themselves or by a reset.
      const harmless = ['RUNNING', 'COMPLETED', 'TERMINATED'];
      return combine(
        checkEach(runs, ({ workflowId, type, status }) =>
          harmless.includes(status) ? undefined : `${type} ${workflowId} is ${status}`,
        ),
        { checked: 0, broken: nonDeterminism },
      );
    },
  },
  {
    name: 'no process crashes',
    check: ({ filesSearched, crashes }) => ({ checked: filesSearched, broken: crashes }),
  },
  {
    name: 'no personal data and no secrets in logs or in Temporal’s files',
    check: ({ canaries, filesSearched, leaks }) => ({ checked: canaries * filesSearched, broken: leaks }),
  },
];

function isEnd(status: RegistrationStatus): boolean {
  return registrationTransitions[status].length === 0;
}

/** Whether a registration can go from one status to another in any number of steps. */
function isReachable(from: RegistrationStatus, to: RegistrationStatus): boolean {
  return registrationTransitions[from].some((next) => next === to || isReachable(next, to));
}

/** By how much the numbers jump after a restore of the database. */
const sequenceJump = 100_000;

/** Which life of the database a number is from. */
function lifeOf(sequence: number): number {
  return Math.floor((sequence - 1) / sequenceJump);
}

/** The numbers of the first life begin at 1, and those of each life follow each other. */
function findGap(userId: string, sequences: readonly number[]): string | undefined {
  const inOrder = sequences.toSorted((one, other) => one - other);
  const hasGap = inOrder.some((sequence, index) => {
    const previous = inOrder[index - 1];
    if (previous === undefined) return sequence !== 1 && lifeOf(sequence) === 0;
    return sequence !== previous + 1 && lifeOf(sequence) === lifeOf(previous);
  });
  return hasGap ? `${userId} has the numbers ${inOrder.join(', ')}` : undefined;
}

function checkEach<Subject>(
  subjects: readonly Subject[],
  problemOf: (subject: Subject) => string | undefined,
): { checked: number; broken: string[] } {
  return { checked: subjects.length, broken: subjects.flatMap((subject) => problemOf(subject) ?? []) };
}

function combine(...verdicts: ReturnType<Invariant['check']>[]): ReturnType<Invariant['check']> {
  return {
    checked: verdicts.reduce((sum, { checked }) => sum + checked, 0),
    broken: verdicts.flatMap(({ broken }) => broken),
  };
}

function groupBy<Element>(
  elements: readonly Element[],
  keyOf: (element: Element) => string,
): Map<string, Element[]> {
  const groups = new Map<string, Element[]>();
  for (const element of elements) {
    const key = keyOf(element);
    groups.set(key, [...(groups.get(key) ?? []), element]);
  }
  return groups;
}

function countBy<Element>(
  elements: readonly Element[],
  keyOf: (element: Element) => string,
): Map<string, number> {
  return new Map([...groupBy(elements, keyOf)].map(([key, group]) => [key, group.length]));
}
