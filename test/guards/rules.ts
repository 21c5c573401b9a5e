import { change, test } from './guard.ts';
import type { Guard } from './guard.ts';

const startUp = 'test/processes/start-up.test.ts';
const accounts = 'test/database/accounts.test.ts';
const numbersResults =
  "on 'PGlite' > activating an account > numbers a member’s results without gaps, even if an end is recorded repeatedly";
const breakers = 'test/payment-gateway/circuit-breakers.test.ts';

/** The protections among ARCHITECTURE.md's rules, in the order of its table. */
export const rules: readonly Guard[] = [
  {
    name: 'settle-time',
    protectsFrom: 'An attempt is repeated while the payment gateway may still show the previous one.',
    replacements: [
      change(
        'database/ledger.ts',
        'if (isAbsent && askedAt.getTime() > latest.settledAt) {',
        'if (isAbsent && askedAt) {',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > an attempt to register > is absent only if the question was put after it had settled, whenever the answer comes",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'decided-once',
    protectsFrom: 'A later message overturns how an ARS call ended.',
    replacements: [
      change('database/ledger.ts', 'if (!isOpen(call)) return await contradict(locked, call, outcome);', ''),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > an ARS call > is decided once; a later word that differs is kept beside it",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'contradiction-told',
    protectsFrom: 'Nobody learns that the payment gateway contradicts what was decided.',
    replacements: [change('runs/after-commit.ts', 'if (contradiction) {', 'if (contradiction && ended) {')],
    tests: [
      test(
        'test/end-to-end/callbacks.test.ts',
        'a callback that contradicts what was decided is counted and logged, once',
      ),
    ],
    failure: /expected \+?0 to be 1/,
  },
  {
    name: 'claimed-once',
    protectsFrom: 'Two runs of one registration ring or register at the same time.',
    replacements: [change('database/locked-registration.ts', ".for('no key update');", '.limit(1);')],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PostgreSQL' > an ARS call > is sent by one of ten concurrent claims, and waited for by the others",
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'ended-sends-nothing',
    protectsFrom: 'A reset run rings for a registration that has ended.',
    replacements: [
      change('database/ledger.ts', "if (locked.row.step !== 'ARS_CALL') return { claim: 'NOTHING' };", ''),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > an ARS call > is not sent for a number that has ended",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'own-execution',
    protectsFrom: 'A frozen process takes back what another has sent since.',
    replacements: [change('database/ledger.ts', 'eq(effects.execution, execution),', '')],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > an attempt to register > that never left is sent again under its number, by the word of its own execution only",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'accepted-is-not-absent',
    protectsFrom: 'An accepted attempt is repeated.',
    replacements: [
      change(
        'database/ledger.ts',
        "const isAbsent = finding.state === 'NOT_FOUND' && latest.state === 'SENT';",
        "const isAbsent = finding.state === 'NOT_FOUND' && isOpen(latest);",
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > an attempt to register > is never absent once the payment gateway has accepted it",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'late-registration-removed',
    protectsFrom: 'An account stays registered at the payment gateway although the number has failed.',
    replacements: [
      change('database/ledger.ts', 'if (isRegistered && hasFailed) await locked.queueRemoval();', ''),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > an attempt to register > that is registered after the number has failed is removed again",
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'review-from-first-attempt',
    protectsFrom: 'Each reset of a run postpones REVIEW by a day.',
    replacements: [
      change(
        'database/ledger.ts',
        'return first !== undefined && now.getTime() - first.sentAt >= reviewAfter;',
        'return first !== undefined && now.getTime() - Date.now() >= reviewAfter;',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > an attempt to register > is reviewed after five that were absent, and a day after the first",
      ),
    ],
    failure: /'PAYMENT_GATEWAY_REGISTRATION' to be 'REVIEW'/,
  },
  {
    name: 'one-open-registration',
    protectsFrom: 'A Temporal that has forgotten a run lets a second registration of the member begin.',
    replacements: [
      change(
        'database/migrations/0000_initial.sql',
        'CREATE UNIQUE INDEX "one_open_registration_per_member"',
        'CREATE INDEX "one_open_registration_per_member"',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > a registration > begins only if no other one of the member is open, and cannot be withdrawn then",
      ),
    ],
    failure: /'BEGUN' to be 'MEMBER_BUSY'/,
  },
  {
    name: 'withdrawn-unless-begun',
    protectsFrom: 'A number that a client has got is taken back.',
    replacements: [
      change(
        'database/registrations.ts',
        'if (row.begunAt || row.endedAt) return;',
        'if (row.endedAt) return;',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > a registration > begins only if no other one of the member is open, and cannot be withdrawn then",
      ),
    ],
    failure: /true to be false/,
  },
  {
    name: 'advanced-not-withdrawn',
    protectsFrom:
      'The service itself takes back a live registration that somebody has put back as it was before it began.',
    replacements: [
      change(
        'database/registrations.ts',
        'if (locked.hasEffects || (await hasEvidence(locked.transaction))) return;',
        '',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > a registration > is not withdrawn, whoever has emptied its beginning or put it back as it was before",
      ),
    ],
    failure: /true to be false/,
  },
  {
    name: 'repeated-deletion',
    protectsFrom: 'A deletion that is asked for again gets an error.',
    replacements: [
      change(
        'database/accounts.ts',
        'const isDeletion = replacedBy === null && latest.isRecent;',
        'const isDeletion = false;',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > a deletion > is refused while a registration is open, and succeeds again within a day",
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'wake-ups-bounded',
    protectsFrom: 'Thousands of signals make a run impossible to replay.',
    replacements: [
      change('workflows/registration-run.ts', 'wakeUps >= maxWakeUps;', 'wakeUps > maxWakeUps * 99;'),
    ],
    tests: [
      test(
        'test/end-to-end/unreadable-payloads.test.ts',
        'thousands of wake-ups do not stop a run, and every run of it replays',
      ),
    ],
    failure: /expected 1 to be greater than 1/,
  },
  {
    name: 'runs-replaced',
    protectsFrom: 'A registration whose run is lost never ends.',
    replacements: [change('runs/sweep.ts', 'await startRegistrationRun(temporal, run);', '')],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'a registration without a run > is found by the sweep once its run was not heard of for too long',
      ),
    ],
    failure: /'TERMINATED' to be 'RUNNING'/,
  },
  {
    name: 'sweep-goes-on',
    protectsFrom: 'One start that fails keeps all other registrations without a run.',
    replacements: [change('runs/sweep.ts', 'failed.push(registrationNumber);', 'throw error;')],
    tests: [
      test(
        'test/end-to-end/sweep.test.ts',
        'goes on after a start that fails, and counts it; resume --all names it and exits with 1',
      ),
    ],
    failure: /promise rejected/,
  },
  {
    name: 'sweep-needs-temporal',
    protectsFrom: 'While Temporal is away, rows are taken for nothing and looked at again much later.',
    replacements: [
      change(
        'runs/sweep.ts',
        `      await temporal.withDeadline(Date.now() + answerTimeout, () =>
        temporal.workflowService.getSystemInfo({}),
      );
`,
        '',
      ),
    ],
    tests: [test('test/end-to-end/sweep.test.ts', 'takes no row while Temporal does not answer')],
    failure: /promise resolved/,
  },
  {
    name: 'sweep-side-by-side',
    protectsFrom: 'A backlog of registrations keeps removals and notifications waiting.',
    replacements: [
      change('runs/sweep.ts', "    each(\n      'REGISTRATION',", "    await each(\n      'REGISTRATION',"),
    ],
    tests: [
      test(
        'test/end-to-end/sweep.test.ts',
        'works on removals and notifications beside a backlog of registrations',
      ),
    ],
    failure: /RUNNING\|COMPLETED/,
  },
  {
    name: 'backoff-reset',
    protectsFrom: 'A run that is lost after it was heard of again is replaced an hour later.',
    replacements: [
      change(
        'database/locked-registration.ts',
        'lookAt: new Date(this.now.getTime() + milliseconds + lease), replacements: 0 }',
        'lookAt: new Date(this.now.getTime() + milliseconds + lease) }',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > a registration whose run is heard of again is looked for after a minute again, not after two",
      ),
    ],
    failure: /match object/,
  },
  {
    name: 'run-of-the-member',
    protectsFrom: 'A run under another workflow ID works on a member’s registration.',
    replacements: [change('activities/registration-step.ts', 'requireMember(record.userId);', '')],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'what is sent to a run > starts nothing under a workflow ID that is not the member’s',
      ),
    ],
    failure: /'RUNNING' to be 'FAILED'/,
  },
  {
    name: 'member-freed',
    protectsFrom: 'A run that is stuck, or nobody’s, keeps a member from every operation.',
    replacements: [
      change('operator/resume.ts', 'await terminate(run);\n    if (registration)', 'if (registration)'),
    ],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'what is sent to a run > keeps no member from registering: whatever runs under the member’s ID is ended by resume',
      ),
    ],
    failure: /'RUNNING' to be 'TERMINATED'/,
  },
  {
    name: 'removal-ordered',
    protectsFrom: 'A run that nobody ordered removes an account that is in use.',
    replacements: [
      change(
        'activities/payment-gateway-registration.ts',
        "if (!(await ledger.find(registrationNumber, 'REMOVAL', 'OPEN'))) return;",
        '',
      ),
      // The second line of defence is the next guard's.
      change(
        'activities/payment-gateway-registration.ts',
        'if (!(await ledger.isRemovable(registrationNumber)))',
        'if (false)',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'what is sent to a run > removes no account that nobody has replaced or deleted',
      ),
    ],
    failure: /to match object \[ \{ state: 'REGISTERED' \} \]/,
  },
  {
    name: 'removal-borne-out',
    protectsFrom: 'A row that somebody writes into the ledger removes an account that is in use.',
    replacements: [
      change(
        'activities/payment-gateway-registration.ts',
        'if (!(await ledger.isRemovable(registrationNumber)))',
        'if (false)',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'what is sent to a run > removes no account in use, although somebody has written that into the ledger',
      ),
    ],
    failure: /to be 'AlteredRow'/,
  },
  {
    name: 'removal-after-settling',
    protectsFrom: 'An attempt that arrives late registers an account after its removal.',
    replacements: [
      change('activities/payment-gateway-registration.ts', 'await requireSettled(registrationNumber);', ''),
    ],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'what is sent to a run > removes no account while an attempt of its number may still arrive',
      ),
    ],
    failure: /to be 'NotSettled'/,
  },
  {
    name: 'committed-before-woken',
    protectsFrom: 'The verdict of a callback is lost while Temporal does not answer.',
    replacements: [
      change(
        'api/routes/payment-gateway-callbacks.ts',
        'const isKnown =',
        'if (registration) await wakeRun(temporal, registration.userId);\n    const isKnown =',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'a verdict > that a callback brings while Temporal does not answer is not lost, and is acknowledged once it does',
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'fenced-request',
    protectsFrom: 'A request that was delayed takes effect after its attempt was given up.',
    replacements: [
      change(
        'payment-gateway/http/http-payment-gateway.ts',
        'sendBy ? sendBy.getTime() - signatureWindow : Date.now()',
        'Date.now()',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'a request that arrives after its time is refused by the payment gateway, and nothing happens',
      ),
    ],
    failure: /resolved/,
  },
  {
    name: 'verdict-not-contradicted',
    protectsFrom: 'An operator decides what the payment gateway contradicts.',
    replacements: [
      change(
        'operator/resolve.ts',
        "if (!agrees && !values['despite-payment-gateway']) {",
        "if (!agrees && registrationNumber === '') {",
      ),
    ],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'a verdict > is refused from an operator while the payment gateway says otherwise',
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'denied-registration-removed',
    protectsFrom:
      'A number that an operator resolved as not registered stays registered at the payment gateway.',
    replacements: [
      change(
        'database/ledger.ts',
        'even if it was absent so far.\n          await locked.queueRemoval();',
        'even if it was absent so far.\n          if (isOpen(latest)) await locked.queueRemoval();',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > an attempt to register > that an operator takes for not registered is removed, even if it was absent when asked about",
      ),
    ],
    failure: /\[\] to match object/,
  },
  {
    name: 'one-usable-account',
    protectsFrom: 'A member has two accounts in use.',
    replacements: [
      change(
        'database/migrations/0000_initial.sql',
        'CREATE UNIQUE INDEX "one_active_account_per_member"',
        'CREATE INDEX "one_active_account_per_member"',
      ),
    ],
    tests: [
      test(
        accounts,
        "on 'PGlite' > activating an account > is refused by the database itself while another account is active",
      ),
    ],
    failure: /instead of rejecting/,
  },
  {
    name: 'account-replaced',
    protectsFrom: 'A member cannot change to another account.',
    replacements: [
      change(
        'database/ledger.ts',
        "eq(accounts.userId, userId), eq(accounts.state, 'ACTIVE')))",
        "eq(accounts.registrationNumber, registrationNumber), eq(accounts.state, 'ACTIVE')))",
      ),
    ],
    tests: [
      test(
        accounts,
        "on 'PGlite' > activating an account > leaves one active account when ten are activated concurrently",
      ),
    ],
    failure: /insert into "account.*instead of resolving/,
  },
  {
    name: 'notification-sequence',
    protectsFrom: 'The notifications of a member have gaps or repeats in their numbers.',
    replacements: [
      change(
        'database/locked-member.ts',
        'this.#record.notificationSequence + 1,',
        'this.#record.notificationSequence + 2,',
      ),
    ],
    tests: [test(accounts, numbersResults)],
    failure: /to deeply equal \[ 1, 2, 3 \]/,
  },
  {
    name: 'cancellation-in-time',
    protectsFrom: 'A registration counts as cancelled although it was sent to the payment gateway.',
    replacements: [
      change(
        'database/ledger.ts',
        'if (locked.row.endedAt || mayBeRegistered(locked)) return;',
        'if (locked.row.endedAt) return;',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/account-operations.test.ts',
        'cancel > is refused once the payment gateway has been asked to register, and after the end',
      ),
    ],
    failure: /'000_000' to be '002_915'/,
  },
  {
    name: 'duplicate-by-arrival',
    protectsFrom: 'A duplicate that is processed late becomes a second registration.',
    replacements: [
      change(
        'api/registrations/latest-registrations.ts',
        'if (latest && arrival <= latest.knownAt)',
        'if (latest && arrival <= 0)',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/one-at-a-time.test.ts',
        'refuses a duplicate that arrived before the end of a registration, even if it is processed later',
      ),
    ],
    failure: /\{ …\(3\) \} to match object \{ …\(2\) \}/,
  },
  {
    name: 'code-for-one-registration',
    protectsFrom: 'One ARS code is used for two registrations.',
    replacements: [
      change(
        'database/ledger.ts',
        'if (arsCodeId) await spendArsCode(locked.transaction, arsCodeId, registrationNumber);',
        '',
      ),
    ],
    tests: [test('test/end-to-end/one-at-a-time.test.ts', 'accepts a code for one registration only')],
    failure: /'undefined' to match/,
  },
  {
    name: 'closed-bank-not-asked',
    protectsFrom: 'A bank is asked during its maintenance window.',
    replacements: [
      change(
        'activities/bank-closure.ts',
        "if (until !== undefined) return { state: 'POSTPONED', reason: 'BANK_MAINTENANCE', until };",
        'void until;',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/closure.test.ts',
        'a bank’s maintenance window > makes a registration wait without asking the bank, show until when, and resume by itself',
      ),
    ],
    failure: /\[\] to deeply equal \[ ObjectContaining/,
  },
  {
    name: 'no-registration-while-erased',
    protectsFrom: 'A registration of an erased member is inserted.',
    replacements: [
      change(
        'database/registrations.ts',
        "if (!unerased) return 'MEMBER_ERASED';\n        const { checks, now } = unerased;",
        'const { checks, now } = unerased ?? { checks: 0, now: new Date() };',
      ),
    ],
    tests: [
      test(
        'test/database/members.test.ts',
        "on 'PGlite' > inserts no registration for a member who is erased concurrently",
      ),
    ],
    failure: /'ERASED', 1 \] to deeply equal \[ 'BEING_REGISTERED', 1 \]/,
  },
  {
    name: 'no-erasure-while-in-use',
    protectsFrom: 'A member is erased while an account is in use.',
    replacements: [
      change(
        'database/members.ts',
        "and(eq(accounts.userId, userId), ne(accounts.state, 'REMOVED'))",
        "and(eq(accounts.userId, userId), ne(accounts.userId, userId), ne(accounts.state, 'REMOVED'))",
      ),
    ],
    tests: [
      test(
        'test/end-to-end/erasure.test.ts',
        'a member > is not erased while work is left, and the refusal says which',
      ),
    ],
    failure: /to deeply equal \{ exitCode: 1/,
  },
  {
    name: 'purge-checks-again',
    protectsFrom: 'A purge destroys evidence that was put under a legal hold while it waited.',
    replacements: [
      change(
        'database/retention.ts',
        'and(eq(registrations.registrationNumber, registrationNumber), expired(now))',
        'eq(registrations.registrationNumber, registrationNumber)',
      ),
    ],
    tests: [
      test(
        'test/database/retention.test.ts',
        "on 'PostgreSQL' > the retention period of evidence > is extended by a legal hold that is placed while the purge waits for the row",
      ),
    ],
    failure: /expected 2 to be 1/,
  },
  {
    name: 'discarded-is-final',
    protectsFrom: 'A discarded project is activated again.',
    replacements: [
      change(
        'database/projects.ts',
        "return state === 'DISCARDED' ? undefined :",
        'return state ? undefined :',
      ),
    ],
    tests: [
      test('test/database/projects.test.ts', "on 'PGlite' > a discarded project > cannot be activated again"),
    ],
    failure: /instead of rejecting/,
  },
  {
    name: 'masked-unless-encrypted',
    protectsFrom: 'A full account number is sent unencrypted.',
    replacements: [
      change(
        'api/routes/bank-accounts.ts',
        'isMasked ? maskAccountNumber(accountNumber) : accountNumber',
        'accountNumber',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/account-operations.test.ts',
        'info > gives the account in full in an encrypted answer and masked in a plain one',
      ),
    ],
    failure: /to match object \{ accountId: StringMatching/,
  },
  {
    name: 'holder-is-the-member',
    protectsFrom: 'Another person’s account is registered for a member.',
    replacements: [
      change(
        'database/members.ts',
        'return isSameName(facts.userName, userName) && facts.birthDate === birthDate;',
        'return true;',
      ),
    ],
    tests: [
      test(
        'test/wire/requests.test.ts',
        "real-name verification > refuses { userName: '다른이' } where the holder must be the member",
      ),
      test(
        'test/wire/requests.test.ts',
        "real-name verification > refuses { birthDate: '19100101' } where the holder must be the member",
      ),
      test(
        'test/wire/requests.test.ts',
        'real-name verification > register refuses another holder itself, and gives no number',
      ),
    ],
    failure: /002_911/,
  },
  {
    name: 'findings-checked-twice',
    protectsFrom: 'A reconciliation reports a difference that existed only while a ledger changed.',
    replacements: [
      change(
        'activities/reconciliation.ts',
        'if (after.ourState === before.ourState) return',
        'if (after.ourState || before.ourState) return',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/reconciliation.test.ts',
        'of ledgers that change meanwhile > reports nothing about a registration that ends on our side during the inquiry',
      ),
    ],
    failure: /expected 1 to be 2/,
  },
  {
    name: 'gone-stops-delivery',
    protectsFrom: 'A service provider that answered 410 is notified again.',
    replacements: [
      change(
        'activities/result-notification.ts',
        "if (answer.reached && answer.status === 410) return 'GONE';",
        '',
      ),
    ],
    tests: [test('test/end-to-end/result-notification.test.ts', 'the notification > stops at 410')],
    failure: /to match object \{ state: 'GONE'/,
  },
  {
    name: 'circuit-breaker',
    protectsFrom: 'Every waiting run sends its requests to a bank or payment gateway that is down.',
    replacements: [
      change(
        'payment-gateway/circuit-breakers.ts',
        'new ConsecutiveBreaker(failures)',
        'new ConsecutiveBreaker(failures + Infinity)',
      ),
    ],
    tests: [
      test(breakers, 'of a bank leaves other banks alone'),
      test(breakers, 'of the payment gateway stops requests to all banks'),
    ],
    failure: /to match object|\[\] to deeply equal/,
  },
  {
    name: 'breaker-per-bank',
    protectsFrom: 'The outage of one bank stops the requests to all banks.',
    replacements: [
      change(
        'payment-gateway/circuit-breakers.ts',
        'const known = banks.get(bankCode);',
        'const known = banks.get(bankCode) ?? [...banks.values()][0];',
      ),
    ],
    tests: [test(breakers, 'of a bank leaves other banks alone')],
    failure: /to be 'MATCHED'/,
  },
  {
    name: 'workflow-bundle-contents',
    protectsFrom: 'zod, or another package that is not meant for it, gets into the workflow bundle.',
    replacements: [
      change(
        'contract/unreadable-payload.ts',
        'export function isUnreadable',
        "import { z } from 'zod';\nexport const schemaInTheBundle = z.string();\nexport function isUnreadable",
      ),
    ],
    tests: [
      test(
        'test/architecture/layers.test.ts',
        'the workflow bundle > holds nothing but what ARCHITECTURE.md names, so no zod',
      ),
    ],
    failure: /to deeply equal \[/,
  },
  {
    name: 'erased-id-kept',
    protectsFrom: 'The ID of an erased member is given to another person.',
    replacements: [
      change(
        'database/members.ts',
        '.onConflictDoNothing()',
        '.onConflictDoUpdate({ target: members.userId, set: rows[0]!.member })',
      ),
    ],
    tests: [test('test/end-to-end/erasure.test.ts', 'an erased member > cannot be erased or added again')],
    failure: /to be undefined/,
  },
  {
    name: 'notification-retry-after',
    protectsFrom: 'A service provider that asks for time is notified again at once.',
    replacements: [
      change(
        'notifications/notification-sender.ts',
        "retryAfter: parseRetryAfter(answer.headers['retry-after']),",
        'retryAfter: 0,',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/result-notification.test.ts',
        'the notification > waits as long as Retry-After asks',
      ),
    ],
    failure: /to be greater than or equal to 3000/,
  },
  {
    name: 'notifications-held',
    protectsFrom: 'A project that is not active is notified, or its deliveries are used up.',
    replacements: [
      change('activities/result-notification.ts', "if (project?.state !== 'ACTIVE') {", 'if (!project) {'),
    ],
    tests: [
      test(
        'test/end-to-end/result-notification.test.ts',
        'the notification > waits while its project is not active, and is sent once it is again',
      ),
    ],
    failure: /expected 'RUNNING' to be 'COMPLETED'/,
  },
  {
    name: 'wait-for-dependencies',
    protectsFrom:
      'A process that starts before its database or Temporal ends, and is restarted again and again.',
    replacements: [
      change(
        'runtime/until-available.ts',
        'if (!isTransient(error)) throw error;',
        'if (error) throw error;',
      ),
    ],
    tests: [
      test(
        startUp,
        'what does not answer is waited for > by development/run-from-source/worker.ts: PostgreSQL; SIGTERM ends the wait',
      ),
    ],
    failure: /'ended' to be 'waits'/,
  },
  {
    name: 'namespace-complete',
    protectsFrom: 'Registrations cannot end because a search attribute is missing.',
    replacements: [
      change('runtime/temporal-namespace.ts', 'if (missing.length > 0) {', 'if (missing.length > 99) {'),
    ],
    tests: [
      test(
        startUp,
        'a namespace > that lacks search attributes is refused, until operator setup has added them',
      ),
    ],
    failure: /undefined to be an instance of ConfigurationError/,
  },
  {
    name: 'namespace-in-readiness',
    protectsFrom: 'Nobody learns that the namespace of an API is gone.',
    replacements: [change('composition/readiness.ts', 'let isFineUntil = 0;', 'let isFineUntil = Infinity;')],
    tests: [
      test(
        'test/wire/other-endpoints.test.ts',
        'health > says what Temporal’s namespace lacks, and the command that mends it',
      ),
    ],
    failure: /to deeply equal \[ 200/,
  },
  {
    name: 'schedules-come-back',
    protectsFrom: 'After Temporal was set up empty, nothing is reconciled or purged.',
    replacements: [
      change(
        'composition/schedules.ts',
        'const timer = setInterval(() => void createMissing(), interval);',
        'const timer = setInterval(() => void createMissing, interval);',
      ),
    ],
    tests: [
      test(startUp, 'the schedules > are created again where they have disappeared, while the worker runs'),
    ],
    failure: /expected false to be true/,
  },
  {
    name: 'whole-deployment-name',
    protectsFrom: 'A worker with only one of the two versioning variables gets no work.',
    replacements: [
      change(
        'runtime/config.ts',
        'config.TEMPORAL_DEPLOYMENT_NAME === undefined || config.TEMPORAL_BUILD_ID !== undefined',
        'config.TEMPORAL_DEPLOYMENT_NAME !== null',
      ),
    ],
    tests: [
      test(
        'test/processes/environment.test.ts',
        'TEMPORAL_DEPLOYMENT_NAME without TEMPORAL_BUILD_ID is refused, because the worker would get no work',
      ),
    ],
    failure: /to match \/\^  TEMPORAL_BUILD_ID: Required/,
  },
  {
    name: 'restore-noticed',
    protectsFrom: 'A restored database sends again what it has forgotten.',
    replacements: [
      change('database/incarnations.ts', '  if (!isPresent) throw new DatabaseRestored();\n', ''),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > after a restore > nothing is sent until an operator has said so; then older numbers are asked about first",
      ),
    ],
    failure: /to match object|rejecting/,
  },
  {
    name: 'restore-asked-first',
    protectsFrom: 'A number calls or registers again what the restore lost.',
    replacements: [
      change(
        'database/ledger.ts',
        'return knowsTheRest ? undefined : await locked.assume(kind, attempt, policy);',
        'return undefined;',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > after a restore > nothing is sent until an operator has said so; then older numbers are asked about first",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'restore-stops-ends',
    protectsFrom: 'A restored database ends numbers and reuses numbers of notifications.',
    replacements: [
      change(
        'database/locked-registration.ts',
        'await requireKnownDatabase(this.transaction);',
        'await requireKnownDatabase(this.transaction).catch(() => undefined);',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > after a restore > and before an operator has said so, nothing ends and no account is registered for auto charge",
      ),
    ],
    failure: /rejecting/,
  },
  {
    name: 'restore-stops-removals',
    protectsFrom: 'A restored database removes accounts before an operator has looked at it.',
    replacements: [
      change(
        'activities/payment-gateway-registration.ts',
        '      await stores.incarnations.requireKnown();\n',
        '',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/disaster-recovery.test.ts',
        'removals and deliveries of a restored database wait for restored, too',
      ),
    ],
    failure: /DatabaseRestored/,
  },
  {
    name: 'restore-stops-deliveries',
    protectsFrom: 'A restored database delivers results before an operator has looked at it.',
    replacements: [
      change('activities/result-notification.ts', '      await stores.incarnations.requireKnown();\n', ''),
    ],
    tests: [
      test(
        'test/end-to-end/disaster-recovery.test.ts',
        'removals and deliveries of a restored database wait for restored, too',
      ),
    ],
    failure: /DatabaseRestored/,
  },
  {
    name: 'restore-is-unavailable',
    protectsFrom: 'A client takes a restored database for a defect.',
    replacements: [change('api/http/errors.ts', 'error instanceof DatabaseRestored || ', '')],
    tests: [
      test(
        'test/end-to-end/disaster-recovery.test.ts',
        'a database that is restored while API and workers run sends, ends and numbers nothing before restored',
      ),
    ],
    failure: /000_990/,
  },
  {
    name: 'restored-failure-removed',
    protectsFrom: 'A lost attempt leaves an account of a failed number at the payment gateway.',
    replacements: [
      change(
        'database/locked-registration.ts',
        "if (hasLostAttempts && status !== 'BANK_ACC_REGISTERED') await this.queueRemoval();",
        'void hasLostAttempts;',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > after a restore > that lost something, a failure is followed by a removal, in case a lost attempt registered the account",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'restored-sequence-jumps',
    protectsFrom: 'Receivers drop results after a restore, because their numbers were used before.',
    replacements: [
      change(
        'database/incarnations.ts',
        'newest?.firstSequence ?? 1) + sequenceJump',
        'newest?.firstSequence ?? 1)',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > after a restore > that lost nothing, everything goes on; numbers of notifications are never used twice",
      ),
    ],
    failure: /to be greater than/,
  },
  {
    name: 'told-end-adopted',
    protectsFrom: 'After a restore, a registration goes on that a client was told has failed.',
    replacements: [change('database/ledger.ts', '  if (told && !wasRegistered) return told;\n', '')],
    tests: [
      test(
        'test/database/adoption.test.ts',
        "on 'PGlite' > a number that is known > ends as it was cancelled",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'adopted-by-payment-gateway',
    protectsFrom: 'A run makes an account that the payment gateway does not have.',
    replacements: [
      change('database/ledger.ts', "(wasRegistered && finding.state === 'REMOVED')", 'wasRegistered'),
    ],
    tests: [
      test(
        'test/database/adoption.test.ts',
        "on 'PGlite' > a number that is lost > is in REVIEW where the payment gateway denies what was told, and is asked about again",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'newer-account-kept',
    protectsFrom: 'An account that comes back after a restore replaces a newer one.',
    replacements: [
      change(
        'database/ledger.ts',
        'if (former && active.isNewer) {',
        'if (former && active.isNewer && !createdAt) {',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > after a restore > an older account that comes back does not replace a newer one",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'older-copy-noticed',
    protectsFrom: 'An older copy of the database’s disk sends again what it has forgotten.',
    replacements: [
      change(
        'database/incarnations.ts',
        'const isOlderCopy = mark !== undefined && before !== undefined && isEarlier(mark, before);',
        'const isOlderCopy = false;',
      ),
    ],
    tests: [
      test(
        'test/database/older-copy.test.ts',
        'an older copy of the disk is noticed by whoever has seen it later, and sends nothing',
      ),
    ],
    failure: /promise resolved/,
  },
  {
    name: 'older-copy-stays',
    protectsFrom: 'An older copy is forgotten once its log has grown.',
    replacements: [
      change(
        'database/incarnations.ts',
        'if (isOlderCopy) remember(marks, { ...before, position: end });\n  else if (mark)',
        'if (mark)',
      ),
    ],
    tests: [
      test(
        'test/database/older-copy.test.ts',
        'an older copy of the disk is noticed by whoever has seen it later, and sends nothing',
      ),
    ],
    failure: /promise resolved/,
  },
  {
    name: 'witness-first',
    protectsFrom: 'An older copy is not noticed by processes that start after it.',
    replacements: [change('composition/watch-database.ts', 'await hear().catch(unlessMisconfigured);', '')],
    tests: [
      test(
        'test/runtime/watch-database.test.ts',
        'what the witness remembers is taken over before the first look, and the witness is told the present',
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'sealed-orders',
    protectsFrom: 'After a restore, whoever may start runs deletes accounts.',
    replacements: [
      change(
        'encryption/payload-codec.ts',
        "if (!isEncrypted(payload)) return markUnreadable({ unreadablePayload: 'it is not encrypted.' });",
        'if (!isEncrypted(payload)) return payload;',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/adoption.test.ts',
        'runs that somebody else started are no evidence, whatever they show and however they are named',
      ),
    ],
    failure: /not to match/,
  },
  {
    name: 'end-names-number',
    protectsFrom: 'After a restore, whoever may start runs makes numbers fail with the end of another one.',
    replacements: [
      change(
        'operator/remembered-runs.ts',
        "registration?.registrationNumber !== registrationNumber || step !== 'DONE'",
        "step !== 'DONE'",
      ),
    ],
    tests: [
      test(
        'test/end-to-end/adoption.test.ts',
        'runs that somebody else started are no evidence, whatever they show and however they are named',
      ),
    ],
    failure: /not to match/,
  },
  {
    name: 'begun-adopted',
    protectsFrom: 'A number that was handed out is withdrawn after a restore.',
    replacements: [
      change(
        'operator/adopt.ts',
        'return known.isBegun ? undefined : await beginAgain(parts, run);',
        'return undefined;',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/adoption.test.ts',
        'a number that was handed out is not withdrawn because the backup did not know that it had begun',
      ),
    ],
    failure: /to match/,
  },
  {
    name: 'kept-until-adopted',
    protectsFrom: 'After a restore, a number that was handed out is withdrawn before it can be brought back.',
    replacements: [
      change(
        'database/incarnations.ts',
        'if (!restore || restore.adoptedAt) return;',
        'if (restore || !restore) return;',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/adoption.test.ts',
        'no number is withdrawn before an operator has said what a restore lost and has brought it back',
      ),
    ],
    failure: /to deeply equal \[\]/,
  },
  {
    name: 'deletion-adopted',
    protectsFrom: 'A deletion that a restore lost is not carried out again.',
    replacements: [
      change(
        'operator/adopt.ts',
        'acting.accounts.deleteAgain(account, deletedAt),',
        'Promise.resolve(acting.accounts),',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/disaster-recovery.test.ts',
        'docs/disaster-recovery.md, carried out line by line > The database is restored to a point in time',
      ),
    ],
    failure: /to contain/,
  },
  {
    name: 'recording-adopted',
    protectsFrom: 'An account that a restore lost comes back without evidence of consent.',
    replacements: [
      change(
        'operator/adopt.ts',
        'if (adopted.get(registrationNumber)?.lacksEvidence)',
        'if (adopted.size < 0)',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/disaster-recovery.test.ts',
        'docs/disaster-recovery.md, carried out line by line > The database is restored to a point in time',
      ),
    ],
    failure: /to match object \{ exitCode: \+0 \}/,
  },
  {
    name: 'lost-run-is-busy',
    protectsFrom: 'A member whose running registration is lost gets an internal error.',
    replacements: [
      change('api/registrations/member-runs.ts', 'known?.userId !== userId', 'known!.userId !== userId'),
    ],
    tests: [
      test(
        'test/end-to-end/disaster-recovery.test.ts',
        'a member whose running registration is lost is answered with 002_013 before it is adopted',
      ),
    ],
    failure: /000_990/,
  },
  {
    name: 'failover-by-setting',
    protectsFrom: 'A failover that lost something goes unnoticed.',
    replacements: [change('database/incarnations.ts', "failover !== 'synchronous' || ", '')],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > after a failover > that loses nothing, one of several processes begins a new life, and everything goes on",
      ),
    ],
    failure: /to be 'RESTORED'/,
  },
  {
    name: 'failover-next-timeline',
    protectsFrom: 'A copy of the database passes for a failover.',
    replacements: [change('database/incarnations.ts', '!isNextTimeline || ', '')],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > after a failover > another cluster, or a timeline further on, is a restore whatever the setting",
      ),
    ],
    failure: /to be 'RESTORED'/,
  },
  {
    name: 'begun-before-handed-out',
    protectsFrom: 'A number that a client got beside a refusal is taken back.',
    replacements: [
      change(
        'api/registrations/member-runs.ts',
        "(await stores.registrations.begin(running)) === 'BEGUN'",
        'running !== undefined',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'a registration without a run > that never began > begins before its number is handed out beside a refusal, so it is not withdrawn',
      ),
    ],
    failure: /true to be false/,
  },
  {
    name: 'not-begun-hidden',
    protectsFrom: 'A number is shown that was never handed out and may be taken back.',
    replacements: [
      change(
        'database/registrations.ts',
        'const isHandedOut = isNotNull(registrations.begunAt);',
        'const isHandedOut = isNull(registrations.withdrawnAt);',
      ),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > a registration > is shown to nobody before it has begun, except one that was cancelled before",
      ),
    ],
    failure: /to be undefined/,
  },
  {
    name: 'begin-answer-lost',
    protectsFrom: 'A client gets an error although its registration goes on.',
    replacements: [
      change(
        'api/registrations/start-registration.ts',
        'or the answer got lost: a refusal means that nothing happens.\n    if (await stores.registrations.withdraw(registrationNumber)) throw error;',
        '\n    throw error;',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'a registration is accepted although the answer to its begin got lost, because it goes on',
      ),
    ],
    failure: /'000_99\d' to be '000_000'/,
  },
  {
    name: 'repeated-refusal',
    protectsFrom: 'A copy of a refused request at another process gets an internal error.',
    replacements: [
      change(
        'api/registrations/start-registration.ts',
        "=== 'BEGUN';\n    const running",
        "!== 'NONE';\n    const running",
      ),
    ],
    tests: [
      test(
        'test/wire/repeated-requests.test.ts',
        'an Idempotency-Key > of a request that is refused at one process gets the same refusal at another',
      ),
    ],
    failure: /000_990/,
  },
  {
    name: 'effects-kept-while-open',
    protectsFrom: 'A registration that is still open forgets what it has sent.',
    replacements: [change('database/ledger.ts', 'isOld(registrations.endedAt),', '')],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > the effects of a registration > are deleted 90 days after its end, unless something of it is open",
      ),
    ],
    failure: /expected 9 to be 7/,
  },
  {
    name: 'auto-charge-over',
    protectsFrom: 'An auto charge that got no answer keeps the effects of its number for ever.',
    replacements: [change('database/ledger.ts', 'not(isOver(open)!),', '')],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > the effects of a registration > are deleted although an auto charge got no answer, once that has settled as long ago",
      ),
    ],
    failure: /expected 3 to be \+?0/,
  },
  {
    name: 'delivery-recorded-once',
    protectsFrom: 'A run that was replaced overturns how a delivery ended.',
    replacements: [
      change(
        'database/result-notifications.ts',
        "eq(resultNotifications.state, 'PENDING'),\n            eq(resultNotifications.deliveries, delivery - 1),",
        '',
      ),
    ],
    tests: [
      test(
        'test/database/result-notifications.test.ts',
        "on 'PGlite' > a delivery is recorded once: what another run says of it later changes nothing",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'lame-duck',
    protectsFrom: 'A load balancer sends requests to an API that has closed its port.',
    replacements: [change('composition/readiness.ts', 'if (stopping?.aborted) return', 'if (!parts) return')],
    tests: [
      test(
        'test/wire/other-endpoints.test.ts',
        'health > is 503 as soon as the process is asked to stop, while the process is alive and serves',
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'readiness-of-the-database',
    protectsFrom: 'A load balancer sends requests to an API that can write nothing.',
    replacements: [change('composition/readiness.ts', 'if (isReadOnly) return', 'if (!database) return')],
    tests: [
      test(
        'test/wire/other-endpoints.test.ts',
        'health > is 503 while the database has other payload keys, older tables, or is read-only',
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'degraded-is-ready',
    protectsFrom: 'Without Temporal, nobody can ask about, cancel or delete what the database knows.',
    replacements: [change('api/routes/health.ts', "= ['temporal', 'workers'];", '= [];')],
    tests: [
      test(
        'test/wire/other-endpoints.test.ts',
        'health > names Temporal once it is stopped, and a registration is answered with 000_991',
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'stop-is-no-crash',
    protectsFrom: 'A worker that has stopped looks as if it had crashed.',
    replacements: [
      change(
        'worker/worker.ts',
        'if (!isAboutFreeingMemory(error)) throw error;',
        'if (!isAboutFreeingMemory(error) || error) throw error;',
      ),
    ],
    tests: [
      test(
        'test/worker/worker-stop.test.ts',
        'the stop of a worker > succeeds although the SDK did not free a cached workflow',
      ),
    ],
    failure: /Workflow execution context.*instead of resolving/,
  },
  {
    name: 'scrapes-limited',
    protectsFrom: 'Whoever scrapes often loads the database and Temporal.',
    replacements: [
      change('runtime/read-gauges.ts', 'nextAt = performance.now() + interval;', 'nextAt = interval * 0;'),
    ],
    tests: [
      test(
        'test/runtime/metrics.test.ts',
        'scrapes read database and Temporal once in 15 seconds, however many they are',
      ),
    ],
    failure: /to contain/,
  },
];
