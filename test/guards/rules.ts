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
    protectsFrom:
      'An attempt is repeated while the payment gateway may still be processing the previous one.',
    replacements: [
      change(
        'workflows/register-exactly-once.ts',
        'const settled = Date.now() - attemptEndedAt >= settleTime;',
        'const settled = Date.now() - attemptEndedAt >= Math.min(settleTime, 0);',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/registration-safeguards.test.ts',
        'an attempt without an answer > is not repeated before the settle time has passed, even if every inquiry answers NOT_FOUND',
      ),
    ],
    failure: /to have a length of 1 but got/,
  },
  {
    name: 'accepted-not-repeated',
    protectsFrom: 'An attempt that the payment gateway has accepted is made again.',
    replacements: [
      change(
        'workflows/register-exactly-once.ts',
        "if (inquiry.state === 'NOT_FOUND' && attempt.state === 'UNKNOWN' && settled) {",
        "if (inquiry.state === 'NOT_FOUND' && settled) {",
      ),
    ],
    tests: [
      test(
        'test/end-to-end/registration-safeguards.test.ts',
        'an attempt that was accepted > is never repeated, even if inquiries answer NOT_FOUND long after the settle time',
      ),
    ],
    failure: /to have a length of 1 but got/,
  },
  {
    name: 'verdict-during-inquiry',
    protectsFrom: 'A registration is repeated although its verdict has arrived.',
    replacements: [
      change('workflows/register-exactly-once.ts', 'if (verdictMeanwhile) return verdictMeanwhile;', ''),
    ],
    tests: [
      test(
        'test/end-to-end/outage.test.ts',
        'does not repeat an attempt whose result is reported during the inquiry',
      ),
    ],
    failure: /to have a length of 1 but got 2/,
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
        'database/registrations.ts',
        "eq(accounts.userId, userId), eq(accounts.state, 'ACTIVE')));",
        "eq(accounts.registrationNumber, registrationNumber), eq(accounts.state, 'ACTIVE')));",
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
    name: 'notification-once',
    protectsFrom: 'The end of a registration that is recorded repeatedly takes another number, or fails.',
    replacements: [change('database/result-notifications.ts', 'if (sequence !== null) return true;', '')],
    tests: [test(accounts, numbersResults)],
    failure: /insert into "result_.*instead of resolving/,
  },
  {
    name: 'notification-sequence',
    protectsFrom: 'The notifications of a member have gaps or repeats in their numbers.',
    replacements: [
      change(
        'database/result-notifications.ts',
        'sql`${members.notificationSequence} + 1`',
        'sql`${members.notificationSequence} + 2`',
      ),
    ],
    tests: [test(accounts, numbersResults)],
    failure: /to deeply equal \[ 1, 2, 3 \]/,
  },
  {
    name: 'status-forward-only',
    protectsFrom: 'An inquiry reports an earlier status than a previous inquiry.',
    replacements: [
      change(
        'api/registrations/registration-status.ts',
        'await stores.registrations.markArsDone(record.registrationNumber);',
        '',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/outage.test.ts',
        'never reports an earlier status again, even if the run is terminated and the member registers again',
      ),
    ],
    failure: /'ARS_AUTH_IN_PROGRESS' to be 'ARS_AUTH_DONE'/,
  },
  {
    name: 'cancellation-in-time',
    protectsFrom: 'A registration counts as cancelled although it was sent to the payment gateway.',
    replacements: [
      change(
        'workflows/cancellation.ts',
        'if (!isEarly()) throw',
        'if (progress.step() === undefined || !isEarly) throw',
      ),
      change(
        'api/registrations/cancel-registration.ts',
        'return resultCode === codes.CANCELLED;',
        'return resultCode !== undefined;',
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
    name: 'orphan-without-run',
    protectsFrom: 'A running registration is deleted as orphaned.',
    replacements: [
      change(
        'api/registrations/orphaned-registrations.ts',
        'if (await hasRun(temporal, userId, registrationNumber)) continue;',
        'await hasRun(temporal, userId, registrationNumber);',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/orphaned-registrations.test.ts',
        'an orphaned registration is removed, and no other',
      ),
    ],
    failure: /to deeply equal \[ true, true, true, true, true \]/,
  },
  {
    name: 'orphan-age-limit',
    protectsFrom: 'A registration is deleted as orphaned because Temporal no longer keeps its run.',
    replacements: [
      change(
        'api/registrations/orphaned-registrations.ts',
        'const minRetention = 24 *',
        'const minRetention = 2_400 *',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/orphaned-registrations.test.ts',
        'an orphaned registration is removed, and no other',
      ),
    ],
    failure: /to deeply equal \[ true, true, true, true, true \]/,
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
        'activities/ars-call.ts',
        'if (arsCodeId) await stores.arsCodes.spend(arsCodeId, reference);',
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
    replacements: [change('database/registrations.ts', 'if (unerased.length === 0) return false;', '')],
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
        'and(inArray(registrations.registrationNumber, numbers), expired(now))',
        'inArray(registrations.registrationNumber, numbers)',
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
        'return facts.userName === userName && facts.birthDate === birthDate;',
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
        "real-name verification > refuses { birthDate: '19000101' } where the holder must be the member",
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
    name: 'phone-rings-once',
    protectsFrom: 'A phone rings twice because the call request was answered too late.',
    replacements: [change('activities/ars-call.ts', 'if (isRepeat) {', 'if (isRepeat && attempt === 0) {')],
    tests: [
      test(
        'test/end-to-end/closure.test.ts',
        'a circuit breaker > of the payment gateway makes the calls wait, and each phone rings once',
      ),
    ],
    failure: /to have a length of 1 but got 2/,
  },
  {
    name: 'accepted-update-kept',
    protectsFrom:
      'A cancellation that was accepted is lost, because another event arrives while the run closes.',
    replacements: [
      change(
        'workflows/flush-accepted-update.ts',
        "await CancellationScope.nonCancellable(() => sleep(1, { summary: 'Persist the update first' }));",
        'void [CancellationScope, sleep];',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/accepted-update.test.ts',
        'a cancellation is kept when another event arrives while the run closes',
      ),
    ],
    failure: /instead of resolving/,
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
        'contract/calling-hours.ts',
        'export function outsideCallingHours',
        "import { z } from 'zod';\nexport const schemaInTheBundle = z.string();\nexport function outsideCallingHours",
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
        '.onConflictDoUpdate({ target: members.userId, set: { ...rows[start]!, erasedAt: null } })',
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
        'activities/notification-sender.ts',
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
    protectsFrom: 'An API counts as ready although its namespace is gone.',
    replacements: [
      change('api/routes/health.ts', 'let namespaceIsFineUntil = 0;', 'let namespaceIsFineUntil = Infinity;'),
    ],
    tests: [
      test(
        'test/wire/other-endpoints.test.ts',
        'health > says what Temporal’s namespace lacks, and the command that mends it',
      ),
    ],
    failure: /to deeply equal \[ 503/,
  },
  {
    name: 'schedules-come-back',
    protectsFrom: 'After Temporal was set up empty, nothing is reconciled or purged.',
    replacements: [
      change(
        'worker/schedules.ts',
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
];
