import { registrationTransitions } from '../../wire/registration-status.ts';
import type { RegistrationStatus } from '../../wire/registration-status.ts';
import type { Observations } from './observations.ts';
import { codes } from '../../wire/result-codes.ts';

/** What must hold whatever happens. */
export interface Invariant {
  readonly name: string;
  /** Names everything that was looked at, and what of it broke the invariant, each with how. */
  check(observations: Observations): { readonly checked: number; readonly broken: readonly string[] };
}

/** What came of an invariant. */
export interface Verdict extends ReturnType<Invariant['check']> {
  readonly name: string;
}

/** Looks at all invariants. */
export function checkInvariants(observations: Observations): Verdict[] {
  return invariants.map((invariant) => ({ name: invariant.name, ...invariant.check(observations) }));
}

const invariants: readonly Invariant[] = [
  {
    name: 'every number handed out ends or waits in REVIEW',
    check({ journal, registrations, runs }) {
      const inReview = new Set(
        runs
          .filter(({ status, step }) => status === 'RUNNING' && step === 'REVIEW')
          .map(({ workflowId }) => workflowId),
      );
      const rows = new Map(registrations.map((row) => [row.registrationNumber, row]));
      return verdictOf([...journal.sightings], ([number, sightings]) => {
        const row = rows.get(number);
        if (!row) return `${number} was handed out and is not known`;
        const last = sightings.at(-1)?.status;
        if (last && isEnd(last)) return undefined;
        return inReview.has(row.userId) ? undefined : `${number} is still ${last ?? 'unseen'}`;
      });
    },
  },
  {
    name: 'nothing is left half done: rows without an end, open runs',
    check({ registrations, runs }) {
      const open = runs.filter(({ status }) => status === 'RUNNING');
      const inReview = new Set(
        open.filter(({ step }) => step === 'REVIEW').map(({ workflowId }) => workflowId),
      );
      return combine(
        verdictOf(registrations, ({ registrationNumber, userId, endedAt, status }) =>
          endedAt || inReview.has(userId) ? undefined : `${registrationNumber} is ${status} for ever`,
        ),
        verdictOf(runs, ({ workflowId, type, status, step }) =>
          status === 'RUNNING' && step !== 'REVIEW' ? `${type} ${workflowId} still runs` : undefined,
        ),
      );
    },
  },
  {
    name: 'one registration at the payment gateway per number',
    check({ ledger, registrations }) {
      const entries = countBy(ledger, ({ bankAccRegNo }) => bankAccRegNo);
      return verdictOf(registrations, ({ registrationNumber }) => {
        const count = entries.get(registrationNumber) ?? 0;
        return count > 1 ? `${registrationNumber} was registered ${count} times` : undefined;
      });
    },
  },
  {
    name: 'one usable account per member who has one, none for the others',
    check({ accounts, usableAccounts, runs, journal }) {
      const deletions = new Set(
        runs.filter(({ type }) => type === 'deleteWithdrawalAccount').map(({ runId }) => runId),
      );
      return verdictOf([...usableAccounts], ([userId, usable]) => {
        const own = accounts.filter((account) => account.userId === userId);
        const latest = own.toSorted((one, other) => Number(other.activatedAt) - Number(one.activatedAt))[0];
        const isDeleted =
          latest?.retiredBy !== null &&
          latest?.retiredBy !== undefined &&
          deletions.has(latest.retiredBy) &&
          journal.deletedMembers.has(userId);
        const expected = latest && !isDeleted ? latest.registrationNumber : undefined;
        const active = own.filter(({ state }) => state === 'ACTIVE').length;
        if (active > 1) return `${userId} has ${active} active accounts`;
        if (usable !== undefined && journal.membersWithoutAccount.has(userId)) {
          return `${userId} has ${usable} though its deletion was answered as done`;
        }
        return usable === expected
          ? undefined
          : `${userId} has ${usable ?? 'none'} instead of ${expected ?? 'none'}`;
      });
    },
  },
  {
    name: 'a registration told as registered had an account, and only such a one',
    check({ accounts, journal }) {
      const everActive = new Set(accounts.map(({ registrationNumber }) => registrationNumber));
      return verdictOf([...journal.sightings], ([number, sightings]) => {
        const isRegistered = sightings.some(({ status }) => status === 'BANK_ACC_REGISTERED');
        if (isRegistered === everActive.has(number)) return undefined;
        return `${number} ${isRegistered ? 'has no account' : 'has an account and was never told as registered'}`;
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
        verdictOf(accounts, ({ registrationNumber, state }) => {
          if (!entered.has(registrationNumber))
            return `${registrationNumber} is not known to the payment gateway`;
          if (state === 'ACTIVE' && !registered.has(registrationNumber))
            return `${registrationNumber} is usable here only`;
          return state === 'ACTIVE' || state === 'REMOVED'
            ? undefined
            : `${registrationNumber} is still ${state}`;
        }),
        verdictOf([...registered], (number) =>
          active.has(number) ? undefined : `${number} is registered at the payment gateway only`,
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
        verdictOf([...numbers], (number) => (stored.has(number) ? undefined : `${number} has no evidence`)),
        verdictOf(evidence, ({ registrationNumber, troubles }) =>
          troubles.length > 0 ? `${registrationNumber}: ${troubles.join(', ')}` : undefined,
        ),
      );
    },
  },
  {
    name: 'status moves only along the published table',
    check({ journal }) {
      // Of two inquiries at once neither comes first.
      const steps = [...journal.sightings].flatMap(([number, sightings]) =>
        sightings.flatMap((from) =>
          sightings.filter((to) => to.askedAt >= from.at && to !== from).map((to) => ({ number, from, to })),
        ),
      );
      return verdictOf(steps, ({ number, from, to }) => {
        if (from.status === to.status && from.code === to.code) return undefined;
        return isReachable(from.status, to.status) && from.status !== to.status
          ? undefined
          : `${number} went from ${from.status} ${from.code ?? ''} to ${to.status} ${to.code ?? ''}`;
      });
    },
  },
  {
    name: 'results are numbered per member without gaps, each told with one content',
    check({ received, results }) {
      const tellings = groupBy(received, ({ bankAccRegNo }) => bankAccRegNo);
      const members = groupBy(received, ({ userId }) => userId);
      const rows = groupBy(results, ({ userId }) => userId);
      return combine(
        verdictOf([...tellings], ([number, told]) =>
          new Set(told.map((each) => JSON.stringify(each))).size > 1
            ? `${number} was told differently`
            : undefined,
        ),
        verdictOf([...members], ([userId, told]) =>
          gapOf(userId, [...new Set(told.map(({ sequence }) => sequence))]),
        ),
        verdictOf([...rows], ([userId, own]) =>
          gapOf(
            userId,
            own.map(({ sequence }) => sequence),
          ),
        ),
      );
    },
  },
  {
    name: 'every end is told to the service provider, truthfully',
    check({ registrations, received, invalidNotifications, journal }) {
      const told = new Map(received.map((result) => [result.bankAccRegNo, result]));
      return combine(
        verdictOf(
          registrations.filter(({ endedAt }) => endedAt),
          ({ registrationNumber, status, resultCode }) => {
            const result = told.get(registrationNumber);
            if (!result) return `${registrationNumber} was never told`;
            const seen = journal.sightings.get(registrationNumber)?.at(-1);
            const isTrue =
              result.status === status &&
              result.response.code === resultCode &&
              (!seen || (seen.status === status && (seen.code ?? codes.SUCCESS) === resultCode));
            return isTrue ? undefined : `${registrationNumber} was told as ${result.status} and is ${status}`;
          },
        ),
        verdictOf(invalidNotifications, (trouble) => trouble),
      );
    },
  },
  {
    name: 'no phone rings twice for one attempt',
    check({ calls }) {
      const rings = countBy(calls, ({ reference, attempt }) => `${reference} attempt ${attempt}`);
      return verdictOf([...rings], ([attempt, count]) =>
        count > 1 ? `${attempt} rang ${count} times` : undefined,
      );
    },
  },
  {
    name: 'no call and no registration at the payment gateway for a number nobody knows',
    check({ calls, ledger, registrations }) {
      const known = new Set(registrations.map(({ registrationNumber }) => registrationNumber));
      const numbers = new Set([
        ...calls.map(({ reference }) => reference),
        ...ledger.map(({ bankAccRegNo }) => bankAccRegNo),
      ]);
      return verdictOf([...numbers], (number) => (known.has(number) ? undefined : `${number} is not known`));
    },
  },
  {
    name: 'one operation per member at a time',
    check({ registrations, runs }) {
      const periods = [
        ...registrations.flatMap(({ userId, registrationNumber, timeline }) =>
          timeline && timeline.length > 0
            ? [
                {
                  member: `${userId} by timelines`,
                  what: registrationNumber,
                  from: Date.parse(timeline[0]!.at),
                  to: Date.parse(timeline.at(-1)!.at),
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
      return verdictOf([...groupBy(periods, ({ member }) => member)], ([member, own]) => {
        const inOrder = own.toSorted((one, other) => one.from - other.from);
        const overlap = inOrder.find((period, index) => index > 0 && period.from < inOrder[index - 1]!.to);
        return overlap && `${member}: ${overlap.what} began before the one before it had ended`;
      });
    },
  },
  {
    name: 'what was cancelled is not registered, and only that counts as cancelled',
    check({ journal: { cancelled, tooLateToCancel }, registrations }) {
      const rows = new Map(registrations.map((row) => [row.registrationNumber, row]));
      return verdictOf([...cancelled, ...tooLateToCancel], (number) => {
        const code = rows.get(number)?.resultCode;
        if ((code === codes.CANCELLED) === cancelled.has(number)) return undefined;
        return `${number} ended with ${code}, and its cancellation was ${cancelled.has(number) ? 'done' : 'too late'}`;
      });
    },
  },
  {
    name: 'no internal error and no answer without a reason',
    check({ journal, internalErrors }) {
      const answers = [...journal.sightings.values()].reduce((sum, { length }) => sum + length, 0);
      const told = journal.unavailable.get(codes.INTERNAL_ERROR) ?? 0;
      return {
        checked: answers,
        broken: [
          ...(told > 0 ? [`000_990 was answered ${told} times`] : []),
          ...internalErrors,
          ...journal.unexpected,
        ],
      };
    },
  },
  {
    name: 'no run fails, none meets another history than its code',
    check({ runs, nonDeterminism }) {
      return combine(
        verdictOf(runs, ({ workflowId, type, status }) =>
          status === 'RUNNING' || status === 'COMPLETED' ? undefined : `${type} ${workflowId} is ${status}`,
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
    name: 'no personal data and no secret in logs and in Temporal’s files',
    check: ({ canaries, filesSearched, leaks }) => ({ checked: canaries * filesSearched, broken: leaks }),
  },
];

function isEnd(status: RegistrationStatus): boolean {
  return registrationTransitions[status].length === 0;
}

/** Whether a registration can come from one status to another, in however many steps. */
function isReachable(from: RegistrationStatus, to: RegistrationStatus): boolean {
  return registrationTransitions[from].some((next) => next === to || isReachable(next, to));
}

function gapOf(userId: string, sequences: readonly number[]): string | undefined {
  const inOrder = sequences.toSorted((one, other) => one - other);
  return inOrder.every((sequence, index) => sequence === index + 1)
    ? undefined
    : `${userId} has the numbers ${inOrder.join(', ')}`;
}

function verdictOf<Subject>(
  subjects: readonly Subject[],
  troubleOf: (subject: Subject) => string | undefined,
): { checked: number; broken: string[] } {
  return { checked: subjects.length, broken: subjects.flatMap((subject) => troubleOf(subject) ?? []) };
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
