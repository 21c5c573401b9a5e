import { describe, expect, it } from 'vitest';
import type { ResultCode } from '../../wire/result-codes.ts';
import { checkInvariants } from '../../development/fault-injection/invariants.ts';
import type { Observations } from '../../development/fault-injection/observer.ts';

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

type Mutable<Part> = { -readonly [Name in keyof Part]: Part[Name] };

const notification = (bankAccRegNo: string, userId: string, sequence: number, isFailed = false) => ({
  bankAccRegNo,
  userId,
  status: isFailed ? ('ARS_AUTH_FAILED' as const) : ('BANK_ACC_REGISTERED' as const),
  response: { code: isFailed ? '002_014' : '000_000', description: '' },
  sequence,
  occurredAt: '',
});

/** The observations after one account change and one failed registration. */
function healthy() {
  const registration = (registrationNumber: string, userId: string, second: number, isFailed = false) => ({
    registrationNumber,
    userId,
    aspId: 'ASP',
    bankCode: '003',
    arsCodeId: null,
    correlationId: null,
    status: isFailed ? ('ARS_AUTH_FAILED' as const) : ('BANK_ACC_REGISTERED' as const),
    resultCode: (isFailed ? '002_014' : '000_000') as ResultCode,
    createdAt: at(second),
    begunAt: at(second),
    endedAt: at(second + 5) as Date | null,
    timeline: [
      { step: 'ACCEPTED' as const, at: at(second).toISOString(), attempt: 1, outcome: 'ACCEPTED' },
      { step: 'ENDED' as const, at: at(second + 5).toISOString(), attempt: 1, outcome: '000_000' },
    ],
  });
  const account = (registrationNumber: string, state: 'ACTIVE' | 'REMOVED', second: number) => ({
    registrationNumber,
    userId: '1',
    accountId: '00000',
    state: state as 'ACTIVE' | 'REMOVED' | 'REPLACED',
    autoChargeSince: null,
    activatedAt: at(second),
    retiredAt: null,
    retiredBy: state === 'REMOVED' ? 'B' : null,
    removedAt: null,
  });
  const result = (registrationNumber: string, userId: string, sequence: number) => ({
    registrationNumber,
    userId,
    sequence,
    state: 'DELIVERED' as const,
    occurredAt: at(0),
    deliveries: 1,
    deliveredAt: at(1),
  });
  const run = (workflowId: string, runId: string, second: number) => ({
    workflowId,
    runId,
    type: 'registerWithdrawalAccount',
    status: 'COMPLETED' as 'COMPLETED' | 'RUNNING' | 'FAILED',
    startTime: at(second),
    closeTime: at(second + 6) as Date | undefined,
    step: 'DONE',
  });
  const seen = (time: number, status: string, code?: string) => ({ askedAt: time, at: time, status, code });
  const registered = () => [seen(1, 'ARS_AUTH_IN_PROGRESS'), seen(2, 'BANK_ACC_REGISTERED')];
  return {
    journal: {
      statuses: new Map([
        ['A', registered()],
        ['B', registered()],
        ['C', [seen(1, 'ARS_AUTH_IN_PROGRESS'), seen(2, 'ARS_AUTH_FAILED', '002_014')]],
      ]),
      cancelled: new Set<string>(),
      tooLateToCancel: new Set<string>(),
      deletedMembers: new Set<string>(),
      membersWithoutAccount: new Set<string>(),
      unavailable: new Map<string, number>(),
      unanswered: new Map<string, number>(),
      unexpected: [] as string[],
      registrationsRequested: 3,
    },
    registrations: [registration('A', '1', 0), registration('B', '1', 10), registration('C', '2', 0, true)],
    accounts: [account('A', 'REMOVED', 5), account('B', 'ACTIVE', 15)],
    results: [result('A', '1', 1), result('B', '1', 2), result('C', '2', 1)],
    runs: [run('1', 'run-a', 0), run('1', 'run-b', 10), run('2', 'run-c', 0)],
    ledger: [
      { bankAccRegNo: 'A', userId: '1', state: 'REMOVED' },
      { bankAccRegNo: 'B', userId: '1', state: 'REGISTERED' },
    ],
    calls: ['A', 'B', 'C'].map((reference) => ({
      callId: reference,
      reference,
      attempt: 1,
      state: 'PASSED',
    })),
    usableAccounts: new Map<string, string | undefined>([
      ['1', 'B'],
      ['2', undefined],
    ]),
    evidence: ['A', 'B'].map((registrationNumber) => ({ registrationNumber, problems: [] as string[] })),
    received: [
      notification('A', '1', 1),
      notification('B', '1', 2),
      notification('B', '1', 2),
      notification('C', '2', 1, true),
    ],
    invalidNotifications: [] as string[],
    canaries: 1,
    filesSearched: 1,
    leaks: [] as string[],
    internalErrors: [] as string[],
    nonDeterminism: [] as string[],
    crashes: [] as string[],
    restores: [] as { to: number; at: number }[],
  };
}

type Seen = ReturnType<typeof healthy>;

/** The names of the invariants that a change to the observations breaks. */
function brokenAfter(change: (seen: Seen) => void): string[] {
  const seen = healthy();
  change(seen);
  return checkInvariants(seen as unknown as Observations)
    .filter(({ broken }) => broken.length > 0)
    .map(({ name }) => name);
}

describe('the invariants', () => {
  it('all hold for a healthy service', () => {
    expect(brokenAfter(() => {})).toEqual([]);
    const verdicts = checkInvariants(healthy() as unknown as Observations);
    expect(verdicts.filter(({ checked, name }) => checked === 0 && !name.includes('cancelled'))).toEqual([]);
  });

  it('allow a restored database to repeat what was under way, not to change an end', () => {
    const restore = (from: string) => (seen: Seen) => {
      seen.restores.push({ to: 0, at: 3 });
      const statuses = seen.journal.statuses.get('C')!;
      statuses.splice(0, 2, { askedAt: 1, at: 1, status: from, code: undefined });
      statuses.push({ askedAt: 4, at: 4, status: 'ARS_AUTH_IN_PROGRESS', code: undefined });
      statuses.push({ askedAt: 5, at: 5, status: 'ARS_AUTH_FAILED', code: '002_014' });
    };
    expect(brokenAfter(restore('ARS_AUTH_DONE'))).toEqual([]);
    expect(brokenAfter(restore('BANK_ACC_REGISTERED')).join('\n')).toContain('published table');
  });

  it('allow the numbers of results to jump when the database was restored', () => {
    const jump = ({ received, results }: Seen) => {
      for (const each of [received[1]!, received[2]!, results[1]!])
        (each as Mutable<Seen['results'][0]>).sequence = 100_003;
    };
    expect(brokenAfter(jump)).toEqual([]);
  });

  it('allow a gap before a restore, which lost a result that had reached nobody', () => {
    const lose = ({ received, results, restores }: Seen) => {
      (received[3] as Mutable<Seen['received'][0]>).sequence = 2;
      results[2]!.sequence = 100_001;
      restores.push({ at: 0, to: 0 });
      received.push({ ...received[3]!, sequence: 100_001 });
    };
    expect(brokenAfter(lose)).toEqual([]);
  });

  it('allow an accepted request to wait until the operation before it has ended', () => {
    const wait = ({ registrations }: Seen) => {
      registrations[1]!.createdAt = at(1);
      registrations[1]!.timeline[0]!.at = at(1).toISOString();
    };
    expect(brokenAfter(wait)).toEqual([]);
  });

  it('allow a number that reached nobody for each request without an answer', () => {
    const lose = ({ journal }: Seen) => {
      journal.statuses.delete('C');
      journal.unanswered.set('2', 1);
    };
    expect(brokenAfter(lose)).toEqual([]);
  });

  it.each<[name: string, change: (seen: Seen) => void]>([
    ['every issued registration number ends', ({ journal }) => journal.statuses.get('C')!.pop()],
    ['every issued registration number ends', ({ journal }) => journal.statuses.set('D', [])],
    ['no unfinished work', ({ registrations }) => (registrations[0]!.endedAt = null)],
    ['no unfinished work', ({ runs }) => (runs[0]!.status = 'RUNNING')],
    ['one registration at the payment gateway per number', ({ ledger }) => ledger.push({ ...ledger[1]! })],
    ['at most one usable account per member', ({ usableAccounts }) => usableAccounts.set('1', undefined)],
    ['at most one usable account per member', ({ usableAccounts }) => usableAccounts.set('1', 'A')],
    ['at most one usable account per member', ({ usableAccounts }) => usableAccounts.set('2', 'C')],
    ['at most one usable account per member', ({ journal }) => journal.membersWithoutAccount.add('1')],
    ['at most one usable account per member', ({ accounts }) => (accounts[0]!.state = 'ACTIVE')],
    ['reported as REGISTERED', ({ journal }) => journal.statuses.get('A')!.pop()],
    ['ledger equals ours', ({ ledger }) => (ledger[0]!.state = 'REGISTERED')],
    ['ledger equals ours', ({ ledger }) => (ledger[1]!.state = 'REMOVED')],
    ['ledger equals ours', ({ ledger }) => ledger.pop()],
    ['ledger equals ours', ({ accounts }) => (accounts[0]!.state = 'REPLACED')],
    ['evidence of consent', ({ evidence }) => evidence.pop()],
    ['evidence of consent', ({ evidence }) => evidence[0]!.problems.push('it was altered')],
    [
      'published table',
      ({ journal }) =>
        journal.statuses
          .get('A')!
          .push({ askedAt: 3, at: 3, status: 'ARS_AUTH_IN_PROGRESS', code: undefined }),
    ],
    [
      'published table',
      ({ journal }) =>
        journal.statuses
          .get('C')!
          .push({ askedAt: 3, at: 3, status: 'BANK_ACC_REGISTERED', code: undefined }),
    ],
    ['without gaps', ({ received }) => ((received[3] as Mutable<Seen['received'][0]>).sequence = 2)],
    ['without gaps', ({ received }) => ((received[2] as Mutable<Seen['received'][0]>).sequence = 3)],
    ['without gaps', ({ results }) => (results[1]!.sequence = 3)],
    ['without gaps', ({ received }) => received.push(notification('D', '3', 2))],
    ['without gaps', ({ received }) => received.push(notification('A', '1', 100_003, true))],
    [
      'without gaps',
      ({ received }) => received.push(notification('D', '1', 100_003), notification('E', '1', 100_005)),
    ],
    ['service provider is notified', ({ received }) => received.pop()],
    ['service provider is notified', ({ received }) => (received[3]!.response.code = '002_015')],
    ['service provider is notified', ({ invalidNotifications }) => invalidNotifications.push('a forged one')],
    ['at most one call per attempt', ({ calls }) => calls.push({ ...calls[0]!, callId: 'another' })],
    ['unknown registration number', ({ calls }) => calls.push({ ...calls[0]!, reference: 'D' })],
    ['one operation per member', ({ runs }) => (runs[1]!.startTime = at(3))],
    ['one operation per member', ({ registrations }) => (registrations[1]!.begunAt = at(3))],
    ['a cancelled registration is not registered', ({ journal }) => journal.cancelled.add('A')],
    [
      'no other counts as cancelled',
      ({ journal, registrations }) => {
        journal.tooLateToCancel.add('A');
        registrations[0]!.resultCode = '002_914';
      },
    ],
    ['answered with 503', ({ journal }) => journal.statuses.delete('C')],
    ['no internal error', ({ journal }) => journal.unavailable.set('000_990', 1)],
    ['no internal error', ({ internalErrors }) => internalErrors.push('000_990')],
    ['no internal error', ({ journal }) => journal.unexpected.push('a refusal')],
    ['no workflow fails', ({ runs }) => (runs[0]!.status = 'FAILED')],
    ['no workflow fails', ({ nonDeterminism }) => nonDeterminism.push('Nondeterminism')],
    ['no process crashes', ({ crashes }) => crashes.push('worker-001.log')],
    ['no personal data', ({ leaks }) => leaks.push('a name')],
  ])('"%s" is seen to break (%#)', (name, change) => {
    expect(brokenAfter(change).join('\n')).toContain(name);
  });
});
