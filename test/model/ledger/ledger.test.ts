import { describe, expect, it } from 'vitest';
import { acceptedStarts, startProtocol } from './accepted-starts.ts';
import type { StartDesign } from './accepted-starts.ts';
import { callsAfterRestore } from './calls-after-restore.ts';
import { explore } from './explore.ts';
import { protocol, registrationAttempts } from './registration-attempts.ts';
import type { RegistrationDesign } from './registration-attempts.ts';
import { wakeUps } from './wake-ups.ts';
import type { HandlerOrder, RunOrder } from './wake-ups.ts';

describe('registration attempts', () => {
  it('register once, whatever is late, lost or frozen', () => {
    const { states, violation } = explore(registrationAttempts(protocol));
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(30_000);
  });

  it.for([
    [{ settlesFrom: 'ATTEMPT_END' }, 'the number is registered twice'],
    [{ isFenced: false }, 'the number is registered twice'],
    [{ notFoundJudgedBy: 'ANSWER' }, 'the number is registered twice'],
    [{ isEndGuarded: false }, 'the number failed and is registered'],
  ] satisfies [Partial<RegistrationDesign>, string][])('break with %o', ([change, broken]) => {
    const bounds = { ticks: 7, attempts: 2, questions: 1, failures: 'isEndGuarded' in change };
    expect(explore(registrationAttempts({ ...protocol, ...change }, bounds)).violation).toBe(broken);
  });
});

describe('calls after a restore of the database', () => {
  it('ring once per attempt when rows are assumed until one is absent', () => {
    const { states, violation } = explore(callsAfterRestore('UNTIL_ABSENT'));
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(50);
  });

  it.for([
    ['NONE', 'the phone rang twice for attempt 1'],
    ['ONE', 'the phone rang twice for attempt 2'],
  ] as const)('ring twice when assumed rows are: %s', ([assumedRows, broken]) => {
    expect(explore(callsAfterRestore(assumedRows)).violation).toBe(broken);
  });
});

describe('accepted starts', () => {
  it('hand out no number that is withdrawn', () => {
    const { states, violation } = explore(acceptedStarts(startProtocol));
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(200);
  });

  it.for([
    [{ withdrawsOnlyOrphans: false }, 'something was done for a number that was withdrawn'],
    [{ copiesBeginFirst: false }, 'a number handed out was withdrawn'],
    [{ ownRunIsSuccess: false }, 'the request was refused by its own run'],
  ] satisfies [Partial<StartDesign>, string][])('break with %o', ([change, broken]) => {
    expect(explore(acceptedStarts({ ...startProtocol, ...change })).violation).toBe(broken);
  });
});

describe('wake-ups', () => {
  const order: HandlerOrder = ['COMMIT', 'WAKE', 'ACKNOWLEDGE'];

  it('are not lost when the API commits, wakes, acknowledges and the run counts before it reads', () => {
    const { states, violation } = explore(wakeUps(order, 'COUNT_THEN_READ'));
    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(100);
  });

  it.for([
    [['WAKE', 'COMMIT', 'ACKNOWLEDGE'], 'COUNT_THEN_READ', 'the run sleeps on a verdict that is there'],
    [['COMMIT', 'ACKNOWLEDGE', 'WAKE'], 'COUNT_THEN_READ', 'the run sleeps on a verdict that is there'],
    [['ACKNOWLEDGE', 'COMMIT', 'WAKE'], 'COUNT_THEN_READ', 'the verdict is acknowledged and lost'],
    [order, 'READ_THEN_COUNT', 'the run sleeps on a verdict that is there'],
    [order, 'READ_THEN_CLEAR_FLAG', 'the run sleeps on a verdict that is there'],
  ] satisfies [HandlerOrder, RunOrder, string][])('are lost with %o, %s', ([handler, run, broken]) => {
    expect(explore(wakeUps(handler, run)).violation).toBe(broken);
  });
});
