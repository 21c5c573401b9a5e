import { change, test } from './guard.ts';
import type { Guard } from './guard.ts';

const requests = 'test/wire/requests.test.ts';
const limits = 'test/wire/limits.test.ts';
const repeatedRequests = 'test/wire/repeated-requests.test.ts';
const others = 'test/wire/other-endpoints.test.ts';
const safeguards = 'test/end-to-end/registration-safeguards.test.ts';
const startUp = 'test/processes/start-up.test.ts';
const unreadable = 'test/end-to-end/unreadable-payloads.test.ts';
const production = 'test/processes/production.test.ts';
const canary = 'test/end-to-end/canary.test.ts';

const erasedFiles = 'test/database/erased-files.test.ts';

const operatorsTrail = 'test/operator/audit-trail.test.ts';
const trail = 'test/database/audit-trail.test.ts';

const alteredRows = (title: string) =>
  test(
    'test/database/altered-rows.test.ts',
    `on 'PGlite' > in a small database with rows in every table > ${title}`,
  );

/** The protections of SECURITY.md, in the order of its table. */
export const threats: readonly Guard[] = [
  {
    name: 'tenant-isolation',
    protectsFrom: 'A service provider reads or changes the members of another.',
    replacements: [
      change(
        'database/members.ts',
        'eq(members.aspId, aspId), isNull(members.erasedAt)));',
        'isNull(members.erasedAt)));',
      ),
    ],
    tests: [
      test(
        'test/wire/tenant-isolation.test.ts',
        'below /api/v1 > /bankaccounts/user/valid knows no member of another service provider',
      ),
    ],
    failure: /001_006/,
  },
  {
    name: 'foreign-number',
    protectsFrom:
      'A number of another service provider, written into the database, is answered with its ARS code.',
    replacements: [
      change(
        'database/registrations.ts',
        'if (loaded.record.aspId === aspId && loaded.record.userId === userId) return loaded;',
        'if (aspId !== userId) return loaded;',
      ),
    ],
    tests: [
      test(
        repeatedRequests,
        'an Idempotency-Key > whose stored number somebody changed to that of another service provider reveals nothing of it',
      ),
    ],
    failure: /\+ '000_000'/,
  },
  {
    name: 'foreign-registrations',
    protectsFrom: 'A service provider reads or cancels the registrations of another.',
    replacements: [
      change(
        'database/registrations.ts',
        'ofNumber(registrationNumber), eq(registrations.aspId, aspId),',
        'ofNumber(registrationNumber),',
      ),
      change('database/registrations.ts', 'and(\n            eq(registrations.aspId, aspId),', 'and('),
    ],
    tests: [
      '/bankaccounts/ars/register/inquiry knows no registration',
      '/bankaccounts/ars/register/list shows nothing',
    ].map((title) =>
      test('test/wire/tenant-isolation.test.ts', `below /api/v1 > ${title} of another service provider`),
    ),
    failure: /002_019|not to contain/,
  },
  {
    name: 'running-of-member',
    protectsFrom:
      'Somebody who writes to Temporal has the number and code of another service provider’s registration shown.',
    replacements: [
      change('api/registrations/member-runs.ts', 'if (known?.userId !== userId)', 'if (!known)'),
      // The second line of defence, which has a guard of its own.
      change(
        'database/registrations.ts',
        'if (loaded.record.aspId === aspId && loaded.record.userId === userId) return loaded;',
        'if (aspId !== userId) return loaded;',
      ),
    ],
    tests: [
      test(
        'test/wire/tenant-isolation.test.ts',
        'a run that somebody who writes to Temporal gave the number of another service provider does not show it',
      ),
    ],
    failure: /not to contain/,
  },
  {
    name: 'account-of-owner',
    protectsFrom:
      'An account whose row was given to another member is shown to that member’s service provider.',
    replacements: [
      change('database/accounts.ts', '      exists(', '      isNotNull(accounts.userId) ?? exists('),
    ],
    tests: [
      test(
        'test/wire/tenant-isolation.test.ts',
        'rows that were given to another service provider by somebody who writes to the database > show an account to nobody else',
      ),
    ],
    failure: /to match \/002_916\|001_006/,
  },
  {
    name: 'owner-authenticated',
    protectsFrom:
      'Somebody who writes to the database has a member’s data shown to another service provider.',
    replacements: [
      change(
        'database/member-cipher.ts',
        'return `projects/${aspId}/members/${userId}`;',
        'return aspId && userId && "members";',
      ),
    ],
    tests: [
      test(
        'test/wire/tenant-isolation.test.ts',
        'rows that were given to another service provider by somebody who writes to the database > show no personal data, even if all of them agree',
      ),
    ],
    failure: /to match \/000_990/,
  },
  {
    name: 'keys-of-project',
    protectsFrom: 'The keys of one service provider are used as those of another.',
    replacements: [
      change(
        'database/projects.ts',
        '`projects/${aspId}/secret-keys/${secretKeyId}`',
        '`projects/${aspId && secretKeyId}`',
      ),
    ],
    tests: [
      test(
        'test/database/sealed-values.test.ts',
        "on 'PGlite' > a sealed value > of one project is none of another",
      ),
    ],
    failure: /promise resolved/,
  },
  {
    name: 'request-signature',
    protectsFrom: 'A request is altered in transit.',
    replacements: [
      change(
        'api/http/authentication.ts',
        'isTranTokenOf(token, body, secret))',
        'isTranTokenOf(token, body, secret) || token)',
      ),
    ],
    tests: [
      test(requests, 'the transaction token > is refused when an encrypted body was altered after signing'),
    ],
    failure: /000_903/,
  },
  {
    name: 'reads-never-act',
    protectsFrom: 'A copied status poll is sent to an operation that acts.',
    replacements: [
      change(
        'wire/bank-account-operations.ts',
        "action: z.literal('cancel').meta({",
        "action: z.literal('cancel').optional().meta({",
      ),
    ],
    tests: [
      'does nothing at any operation, if the project accepts plain bodies',
      'and what any reading operation requires is not accepted by an operation of ours that acts',
    ].map((title) => test(repeatedRequests, `a copied status poll > ${title}`)),
    failure: /to deeply equal/,
  },
  {
    name: 'request-time',
    protectsFrom: 'An old request is replayed.',
    replacements: [
      change(
        'api/http/authentication.ts',
        'if (Math.abs(Date.now() - time) > timeWindow) throw',
        'if (Math.abs(Date.now() - time) > Infinity + timeWindow) throw',
      ),
    ],
    tests: [test(requests, 'the times > must both be recent: an old X-KM-Tran-Token is refused')],
    failure: /000_904/,
  },
  {
    name: 'ciphertext-once',
    protectsFrom: 'An encrypted request is replayed: at another operation, or later.',
    replacements: [
      change('api/http/repeatable-request.ts', 'seen.operation !== path || !seen.isRepeatable', 'false'),
    ],
    tests: [
      test(repeatedRequests, 'a ciphertext > is refused at another operation'),
      test(
        repeatedRequests,
        'a ciphertext > is refused later: a read after ten minutes, an accepted request after a day',
      ),
    ],
    failure: /000_905/,
  },
  {
    name: 'one-effect-per-request',
    protectsFrom: 'A repeated request has a second effect, such as a second call.',
    replacements: [
      change(
        'api/http/repeatable-request.ts',
        'bound = await this.#parts.stores.rememberedRequests.bind(',
        'void (',
      ),
    ],
    tests: [
      test(
        repeatedRequests,
        'a ciphertext > repeated after the end of its registration gets the first answer',
      ),
    ],
    failure: /expected { status: 200, body/,
  },
  {
    name: 'key-follows-ciphertext',
    protectsFrom:
      'An Idempotency-Key that first comes with an answered ciphertext has a second effect with the next one.',
    replacements: [
      change('api/http/repeatable-request.ts', 'this.#key && bound !== registrationNumber', 'false'),
      change(
        'api/http/repeatable-request.ts',
        'await this.#parts.stores.rememberedRequests.noteEffect(this.#all);\n      return',
        'return',
      ),
    ],
    tests: [
      test(
        repeatedRequests,
        'an Idempotency-Key that first comes with a ciphertext that has its answer > is bound to its registration',
      ),
      test(
        repeatedRequests,
        'an Idempotency-Key that first comes with a ciphertext that has its answer > deletes no successor of the account',
      ),
    ],
    failure: /expected { status: 200, body|to match object/,
  },
  {
    name: 'key-states',
    protectsFrom: 'A discarded or inactive key is used.',
    replacements: [
      change(
        'api/http/authentication.ts',
        "project.state === 'ACTIVE' && accessKey.state === 'ACTIVE' && secrets.length > 0",
        'secrets.length > 0',
      ),
      change(
        'api/http/authentication.ts',
        "project.secretKeys.filter(({ state }) => state === 'ACTIVE')",
        'project.secretKeys',
      ),
      change(
        'api/http/request-body.ts',
        "cryptoKeyId === keyId && state === 'ACTIVE'",
        'cryptoKeyId === keyId && state.length > 0',
      ),
    ],
    tests: [
      'a project that is INACTIVE is refused until it is active',
      'a access key that is INACTIVE is refused until it is active',
      'a secret key that is DISCARDED is refused until it is active',
      'a crypto key that is DISCARDED decrypts nothing',
    ].map((title) => test(requests, `states of a project and its keys > ${title}`)),
    failure: /000_90[27]/,
  },
  {
    name: 'two-sets-of-keys',
    protectsFrom: 'Requests are refused while a service provider changes its keys.',
    replacements: [
      change(
        'api/http/authentication.ts',
        'return project.accessKeys.find(',
        'return project.accessKeys.slice(-1).find(',
      ),
    ],
    tests: [test('test/operator/commands.test.ts', 'a project > rotates its keys without a refused request')],
    failure: /000_901/,
  },
  {
    name: 'two-gateway-secrets',
    protectsFrom: 'Messages are refused while the secret shared with the payment gateway is changed.',
    replacements: [
      change(
        'payment-gateway/http/signature.ts',
        "return secrets.split(',').some(",
        "return secrets.split(',').slice(0, 1).some(",
      ),
    ],
    tests: [
      test(
        'test/end-to-end/payment-gateway-secret.test.ts',
        'no message is refused while the secret is changed: the service goes first',
      ),
    ],
    failure: /to deeply equal \[ 200, 200/,
  },
  {
    name: 'payload-key-ring',
    protectsFrom: 'Running workflows stop when the payload key is changed.',
    replacements: [
      change(
        'encryption/payload-codec.ts',
        "keys.open(read(payload, 'keyId'),",
        'keys.open(keys.activeKeyId,',
      ),
    ],
    tests: [test('test/end-to-end/key-rotation.test.ts', 'payload keys > rotate while a registration runs')],
    failure: /to be 'BANK_ACC_REGISTERED'/,
  },
  {
    name: 'unreadable-payloads',
    protectsFrom:
      'An attacker with write access to Temporal stops a run by a message that cannot be decoded.',
    replacements: [
      change(
        'encryption/payload-codec.ts',
        'return markUnreadable(\n        error',
        'throw error;\n      return markUnreadable(\n        error',
      ),
    ],
    tests: [test(unreadable, 'an argument under an unknown key > of a signal does not stop the run')],
    failure: /to be 'BANK_ACC_REGISTERED'/,
  },
  {
    name: 'unreadable-results',
    protectsFrom: 'An attacker with write access to Temporal forges the result of an activity.',
    replacements: [change('workflows/refuse-unreadable-payloads.ts', "refuse('The result', result);", '')],
    tests: [
      test(
        unreadable,
        'an argument in plain text > instead of the result of an activity is never taken for one',
      ),
    ],
    failure: /to be 'BANK_ACC_REGISTERED'/,
  },
  {
    name: 'unreadable-inputs',
    protectsFrom: 'An attacker with write access to Temporal blocks a member by a run under the member’s ID.',
    replacements: [
      change(
        'workflows/refuse-unreadable-payloads.ts',
        "async execute(input, next) {\n          refuse('The argument', ...input.args);",
        'async execute(input, next) {',
      ),
    ],
    tests: [
      test(
        unreadable,
        'an argument in plain text > of a run closes the run, so it does not block the member',
      ),
    ],
    failure: /'RUNNING' to be 'FAILED'/,
  },
  {
    name: 'payloads-in-place',
    protectsFrom: 'Whoever reads and writes Temporal copies a payload to where it means something else.',
    replacements: [
      change('encryption/payload-codec.ts', '|| place === expected', '|| place !== expected || place'),
    ],
    tests: [
      test(
        unreadable,
        'an argument that was copied from elsewhere > of a run closes the run, so it does not block the member',
      ),
      test(
        'test/encryption/payload-codec.test.ts',
        'a payload > that is moved to another workflow is refused',
      ),
    ],
    failure: /'FAILED'|to deeply equal \{ unreadablePayload/,
  },
  {
    name: 'payload-metadata',
    protectsFrom: 'Whoever copies a payload in Temporal changes its metadata, too.',
    replacements: [
      change('encryption/payload-codec.ts', 'finish(), textOf(place))', "finish(), '')"),
      change('encryption/payload-codec.ts', 'sealed, textOf(placeNamedBy(payload))', "sealed, ''"),
    ],
    tests: [
      test(
        'test/encryption/payload-codec.test.ts',
        'a payload > that is moved to another workflow, with its metadata changed, is refused',
      ),
    ],
    failure: /to deeply equal \{ unreadablePayload/,
  },
  {
    name: 'auto-charge-ordered',
    protectsFrom: 'Whoever starts runs in Temporal registers an account for auto charge.',
    replacements: [
      change(
        'database/ledger.ts',
        "const [effect] = locked.effects('AUTO_CHARGE');",
        "const [effect] = [locked.effects('AUTO_CHARGE')[0] ?? { state: 'NOT_SENT' as const }];",
      ),
    ],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'what is sent to a run > registers no account for auto charge unless a request ordered it',
      ),
    ],
    failure: /002_916/,
  },
  {
    name: 'same-payload-key',
    protectsFrom: 'A payload key is exchanged under its ID, and running workflows cannot be read.',
    replacements: [
      change(
        'database/payload-keys.ts',
        'if (changed.length === 0) return',
        'if (changed.length < 9) return',
      ),
    ],
    tests: [test(startUp, 'a payload key that differs from the one used before under its ID is refused')],
    failure: /instead of rejecting/,
  },
  {
    name: 'missing-payload-key',
    protectsFrom: 'Running workflows stop because a payload key is dropped too early.',
    replacements: [
      change(
        'runtime/required-payload-key.ts',
        'if (!isUnreadable(value) || value.missingKey === undefined) return;',
        'if (!isUnreadable(value) || value.missingKey !== scheduleId) return;',
      ),
    ],
    tests: [
      test(
        startUp,
        'the schedules > that are encrypted with a missing payload key keep the worker from starting',
      ),
    ],
    failure: /instead of rejecting/,
  },
  {
    name: 'missing-key-at-api',
    protectsFrom: 'An API whose payload key no worker has accepts registrations that fail at once.',
    replacements: [
      change(
        'composition/watch-database.ts',
        'if (error instanceof ConfigurationError) throw error;',
        'if (error instanceof ConfigurationError) return;',
      ),
    ],
    tests: [
      test(
        startUp,
        'the schedules > of the database’s mark, encrypted with a missing payload key, keeps API and worker from starting',
      ),
    ],
    failure: /instead of rejecting/,
  },
  {
    name: 'database-key-rewrap',
    protectsFrom: 'The database cannot be read when an old database key is dropped.',
    replacements: [
      change(
        'database/database-keys.ts',
        'keys.seal(keys.open(keyId, value, context), context)',
        'keys.open(keyId, value, context) && value',
      ),
    ],
    tests: [
      test(
        'test/database/database-keys.test.ts',
        "on 'PGlite' > the database keys > are rotated: everything is re-encrypted in batches, and the old key can be removed",
      ),
    ],
    failure: /promise rejected .* instead of resolving/,
  },
  {
    name: 'request-rate',
    protectsFrom: 'A noisy project slows down or shuts out another.',
    replacements: [
      change('api/http/request-limits.ts', 'this.#rate.consume(aspId)', 'this.#rate.consume(aspId, 0)'),
    ],
    tests: [
      test(
        limits,
        'a project that calls too often > is refused with 429 and Retry-After, without effect, while another project is not affected',
      ),
    ],
    failure: /to be greater than 0/,
  },
  {
    name: 'quota-after-authentication',
    protectsFrom: 'Unauthenticated requests in a project’s name use up its quota.',
    replacements: [
      change(
        'api/http/operation.ts',
        'const caller = await authenticate(context, body, parts);',
        "await parts.projectLimits.run(context.req.header('X-KM-User-AspId') ?? '', async () => {});\n      const caller = await authenticate(context, body, parts);",
      ),
    ],
    tests: [
      test(limits, 'a project that calls too often > loses no quota to unauthenticated requests in its name'),
    ],
    failure: /000_903/,
  },
  {
    name: 'cheap-to-refuse',
    protectsFrom:
      'Requests that claim an unknown service provider load the database, and show by their time which ones exist.',
    replacements: [
      change(
        'database/projects.ts',
        'return keysInUse?.has(`${aspId}/${hashAccessKey(accessKey)}`) ?',
        'return keysInUse ?',
      ),
    ],
    tests: [
      test(
        'test/database/projects.test.ts',
        "on 'PGlite' > costs no query of its own to look for with a wrong access key, whether or not it exists",
      ),
    ],
    failure: /to be undefined|to be less than/,
  },
  {
    name: 'refused-requests-logged',
    protectsFrom: 'Nobody knows who tries keys and tokens.',
    replacements: [change('api/app.ts', '...claim,', '')],
    tests: [
      test(
        limits,
        'a request that is not authenticated > is logged with the ASP ID that it claims and the address of its client',
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'failures-slowed-down',
    protectsFrom: 'Somebody tries many keys or tokens, or locks out another by trying.',
    replacements: [
      change('api/app.ts', 'app.use(slowDownFailures(parts.limits));', 'void slowDownFailures;'),
    ],
    tests: [
      test(
        limits,
        'a request that is not authenticated > waits after many failures, while valid ones of the same client are served at once',
      ),
    ],
    failure: /expected [12] to be \+0/,
  },
  {
    name: 'requests-in-flight',
    protectsFrom: 'A flood of unauthenticated requests fills the memory.',
    replacements: [change('api/http/request-limits.ts', 'if (inFlight >= max)', 'if (inFlight >= Infinity)')],
    tests: [
      test(
        limits,
        'a request above the limit of requests in flight is refused with 503, and liveness still answers',
      ),
    ],
    failure: /to be defined/,
  },
  {
    name: 'header-size',
    protectsFrom: 'Headers of unlimited size fill the memory.',
    replacements: [change('api/http/server.ts', 'maxHeaderSize: 16 * 1024', 'maxHeaderSize: 1024 * 1024')],
    tests: [test(requests, 'HTTP > refuses headers that are too large')],
    failure: /000_911/,
  },
  {
    name: 'body-size',
    protectsFrom: 'A body of unlimited size fills the memory.',
    replacements: [change('api/app.ts', '64 * 1024', '640 * 1024')],
    tests: [test(requests, 'HTTP > body of 262144 bytes in chunks: 000_911')],
    failure: /000_911/,
  },
  {
    name: 'uncompressed',
    protectsFrom: 'A compressed ciphertext holds more than the body limit.',
    replacements: [change('encryption/message-encryption.ts', 'maxDecompressedLength: 0,', '')],
    tests: [test(requests, 'encrypted bodies > are refused when they are compressed')],
    failure: /000_907/,
  },
  {
    name: 'one-host',
    protectsFrom: 'A request with two Hosts means one to a proxy and another to us.',
    replacements: [change('api/http/server.ts', 'hosts > 1 || ', '')],
    tests: [
      test(
        'test/wire/errors-outside-the-wire.test.ts',
        'requests that never reach the routes > a request with two Hosts',
      ),
    ],
    failure: /HTTP\\\/1/,
  },
  {
    name: 'slow-requests',
    protectsFrom: 'Slow clients use up the slots of others.',
    replacements: [
      change(
        'api/http/request-limits.ts',
        'await request.arrayBuffer().catch(',
        'void request.arrayBuffer().catch(',
      ),
    ],
    tests: [test(limits, 'slow requests do not use up the slots of complete ones')],
    failure: /000_991/,
  },
  {
    name: 'unread-responses',
    protectsFrom: 'Large responses that clients do not read fill the memory.',
    replacements: [change('api/http/request-limits.ts', 'if (unread >= max)', 'if (unread >= 100 * max)')],
    tests: [test(limits, 'the number of unread large responses is limited, and small ones are still served')],
    failure: /503/,
  },
  {
    name: 'strict-utf8',
    protectsFrom: 'Text that is no UTF-8 reaches the handlers.',
    replacements: [
      change(
        'api/http/request-body.ts',
        "utf8 = new TextDecoder('utf-8', { fatal: true })",
        "utf8 = new TextDecoder('utf-8')",
      ),
    ],
    tests: [test(requests, 'bodies that are not a JSON object in UTF-8 > plain: bad UTF-8')],
    failure: /000_908/,
  },
  {
    name: 'validated-input',
    protectsFrom: 'A value of the wrong form reaches the handlers.',
    replacements: [
      change(
        'api/http/validation.ts',
        'if (result.success) return result.data;',
        'if (result.success || input) return (result.data ?? input) as z.output<Schema>;',
      ),
    ],
    tests: [test(requests, 'headers > X-KM-Correlation-Id of "261122093015 abcdef0": 000_002')],
    failure: /000_002/,
  },
  {
    name: 'retry-after',
    protectsFrom: 'Refused clients send their requests again at once and prolong an overload.',
    replacements: [
      change(
        'api/http/errors.ts',
        "if (retryAfter !== undefined) context.header('Retry-After', String(retryAfter));",
        '',
      ),
    ],
    tests: [
      test(
        others,
        'failures behind the API > a payment gateway that does not respond gives 000_991 with Retry-After',
      ),
    ],
    failure: /null to be '1'/,
  },
  {
    name: 'no-internals-in-errors',
    protectsFrom: 'An error response leaks internals.',
    replacements: [
      change(
        'api/http/errors.ts',
        'return context.json(errorBody(refusal, context.req.path), status);',
        'return context.json({ response: { code: refusal.code, description: String(error) } }, status);',
      ),
    ],
    tests: [
      test(
        others,
        'failures behind the API > an unexpected error is answered with 000_990 and logged, and the response leaks no internals',
      ),
    ],
    failure: /internal text/,
  },
  {
    name: 'callback-signature',
    protectsFrom: 'A callback of the payment gateway is forged.',
    replacements: [
      change(
        'payment-gateway/http/signature.ts',
        'timingSafeEqual(given, hmac(secret, timestamp, path, body))',
        'given.length === hmac(secret, timestamp, path, body).length',
      ),
    ],
    tests: [test(others, 'callbacks of the payment gateway > are refused when signed by another secret')],
    failure: /401/,
  },
  {
    name: 'callback-time',
    protectsFrom: 'A callback of the payment gateway is replayed much later.',
    replacements: [
      change(
        'payment-gateway/http/signature.ts',
        'if (Math.abs(now - Number(timestamp)) > signatureWindow) return false;',
        '',
      ),
    ],
    tests: [test(others, 'callbacks of the payment gateway > are refused when signed 6 minutes ago')],
    failure: /401/,
  },
  {
    name: 'callback-correlation',
    protectsFrom: 'A callback counts twice, or for another call or registration of the member.',
    replacements: [
      change('database/ledger.ts', 'if (!isOpen(call)) return await contradict(locked, call, outcome);', ''),
      change(
        'database/ledger.ts',
        'find((candidate) => candidate.attempt === attempt);\n        if (!call || (isOpen',
        'find((candidate) => candidate.attempt > 0);\n        if (!call || (isOpen',
      ),
    ],
    tests: [
      'callbacks for another registration of the member change nothing, and the first of a kind counts',
      'a callback for a call that was not placed changes nothing',
    ].map((name) => test('test/end-to-end/callbacks.test.ts', name)),
    failure: /to be 'ARS_AUTH_FAILED'|not to contain 'REJECTED'/,
  },
  {
    name: 'callback-of-the-call',
    protectsFrom: 'What the payment gateway says of one call decides another.',
    replacements: [
      change(
        'database/ledger.ts',
        'if (!call || (isOpen(call) && isAnotherCall(call, result)))',
        'if (!call)',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/callbacks.test.ts',
        'a callback about another call than the one that was placed decides nothing',
      ),
    ],
    failure: /'ARS_AUTH_IN_PROGRESS'/,
  },
  {
    name: 'public-addresses-only',
    protectsFrom: 'A notification URL leads into our own network.',
    replacements: [
      change(
        'notifications/notification-url.ts',
        "return isGivenOut && parsed.range() === 'unicast';",
        "return isGivenOut || parsed.range() !== '';",
      ),
    ],
    tests: [
      test(
        'test/end-to-end/result-notification.test.ts',
        'where notifications go > connects to no address that is not public, given as an IP address or a host name',
      ),
    ],
    failure: /to deeply equal \[ '127\.0\.0\.1', '\[::1\]', …\(4\) \]/,
  },
  {
    name: 'global-unicast-only',
    protectsFrom:
      'A notification URL leads to addresses that are not given out, such as IPv4 addresses within IPv6.',
    replacements: [
      change(
        'notifications/notification-url.ts',
        "parsed.kind() === 'ipv4' || parsed.match(ipaddr.parseCIDR('2000::/3'))",
        "parsed.kind() === 'ipv4' || parsed.match(ipaddr.parseCIDR('::/0'))",
      ),
    ],
    tests: [
      test(
        'test/end-to-end/result-notification.test.ts',
        'where notifications go > treats ::7f00:1 as not public',
      ),
    ],
    failure: /expected true to be false/,
  },
  {
    name: 'notification-url',
    protectsFrom: 'A notification URL holds a password, or leads to another service than a receiver.',
    replacements: [
      change('notifications/notification-url.ts', "username !== '' || password !== ''", "username === '0'"),
      change(
        'notifications/notification-url.ts',
        '!ports.includes(',
        'ports.length === 0 && !ports.includes(',
      ),
    ],
    tests: ['https://user@provider.example/: user info', 'https://provider.example:22/: port'].map((judged) =>
      test('test/end-to-end/result-notification.test.ts', `where notifications go > judges ${judged}`),
    ),
    failure: /to be 'user info'|to be 'port'/,
  },
  {
    name: 'notification-signature',
    protectsFrom: 'A result notification is forged.',
    replacements: [
      change(
        'client/result-notification.ts',
        'if (!(await isTranTokenOf(',
        'if (bytes.length === 0 && !(await isTranTokenOf(',
      ),
    ],
    tests: [test('test/client/result-notification.test.ts', 'an altered body is refused')],
    failure: /NOTIFICATION_SIGNATURE/,
  },
  {
    name: 'codec-token',
    protectsFrom: 'An unauthenticated caller decodes payloads.',
    replacements: [
      change(
        'api/routes/codec.ts',
        "if (codec.tokens !== undefined) app.use('/codec/*', requireToken(codec.tokens));",
        'void requireToken;',
      ),
    ],
    tests: ['no token', 'another token'].map((token) =>
      test(others, `the codec for the Temporal Web UI > refuses ${token}`),
    ),
    failure: /401/,
  },
  {
    name: 'decodes-only',
    protectsFrom: 'Whoever has the token of the Web UI has a forged payload encrypted.',
    replacements: [
      change('api/routes/codec.ts', "app.post('/codec/decode',", "app.post('/codec/:direction',"),
    ],
    tests: [
      test(
        others,
        'the codec for the Temporal Web UI > encrypts nothing for anybody, so no token lets anyone forge what a run reads',
      ),
    ],
    failure: /404/,
  },
  {
    name: 'codec-origin',
    protectsFrom: 'A page of another origin decodes payloads in an operator’s browser.',
    replacements: [
      change('api/routes/codec.ts', '    origin,\n', '    origin: (any) => any,\n'),
      change('api/routes/codec.ts', 'origin !== undefined && origin !== allowedOrigin', "origin === ''"),
    ],
    tests: [
      'may not be called from http://localhost:8234',
      'needs no token in the sandbox, where pages of other origins are still refused',
    ].map((title) => test(others, `the codec for the Temporal Web UI > ${title}`)),
    failure: /to be null|to be 403/,
  },
  {
    name: 'operator-token',
    protectsFrom: 'An unauthenticated caller reads the operator routes.',
    replacements: [
      change(
        'api/routes/operator.ts',
        "if (operatorTokens !== undefined) app.use('/operator/*', requireToken(operatorTokens));",
        'void requireToken;',
      ),
    ],
    tests: [
      test(
        'test/end-to-end/reconciliation.test.ts',
        'the operator’s routes > refuse requests without the token',
      ),
    ],
    failure: /401/,
  },
  {
    name: 'token-expires',
    protectsFrom: 'An old token is used for ever.',
    replacements: [change('runtime/bearer-tokens.ts', ' && today <= lastDay', '')],
    tests: [test(others, 'the codec for the Temporal Web UI > refuses a token that has expired')],
    failure: /401/,
  },
  {
    name: 'name-from-token',
    protectsFrom: 'An operator acts under the name of another.',
    replacements: [
      change(
        'operator/authenticate.ts',
        'const name = findHolder(operators.tokens, token);',
        "const name = findHolder([], token) ?? 'kim';",
      ),
    ],
    tests: [
      test(
        operatorsTrail,
        'an operator > is whoever the token was issued to, and nobody by a token that is unknown or has expired',
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'latest-operators',
    protectsFrom: 'Somebody takes out the entry that ended the rights of an operator.',
    replacements: [
      change(
        'database/audit-trail.ts',
        "if (finding.state === 'BROKEN') throw new BrokenAuditTrail(finding);",
        'void BrokenAuditTrail;',
      ),
    ],
    tests: [
      test(trail, "on 'PGlite' > says who may act only while nothing behind that is missing or altered"),
    ],
    failure: /instead of rejecting/,
  },
  {
    name: 'second-person',
    protectsFrom:
      'One operator alone releases a hold, exports, erases early or contradicts the payment gateway.',
    replacements: [
      change('operator/approve.ts', 'if (entry.actor === actor.name)', "if (entry.actor === '')"),
    ],
    tests: [test(operatorsTrail, 'a second person > carries out what the first one has requested, once')],
    failure: /to match object/,
  },
  {
    name: 'authentic-request',
    protectsFrom: 'Somebody who writes to the database has an operator approve their own request.',
    replacements: [
      change(
        'database/audit-trail.ts',
        '|| entry.hash !== hashOf(key, entry, before?.hash)) return undefined',
        '|| before === null) return undefined',
      ),
    ],
    tests: [test(operatorsTrail, 'a second person > is not deceived by whoever writes to the database')],
    failure: /to match object/,
  },
  {
    name: 'acts-are-entered',
    protectsFrom: 'Nobody knows who changed a project, released a hold or exported a recording.',
    replacements: [
      change(
        'database/stores.ts',
        'if (first) entered = await acting.auditTrail.append(actor, [first, ...others]);',
        'void [first, others];',
      ),
    ],
    tests: ['project add', 'bank-window add'].map((command) =>
      test(
        operatorsTrail,
        `every command that acts > ${command} enters who did what on what, why and from where`,
      ),
    ),
    failure: /to be greater than/,
  },
  {
    name: 'act-with-entry',
    protectsFrom: 'An act is done although its entry could not be written.',
    replacements: [
      change(
        'database/stores.ts',
        'const acting = createTables(transaction, keys);',
        'const acting = createTables(queries, keys);',
      ),
    ],
    tests: [
      test(
        trail,
        "on 'PostgreSQL' > has no entry for an act that failed, and the act is undone with an entry that failed",
      ),
    ],
    failure: /to be 'ACTIVE'/,
  },
  {
    name: 'entry-as-written',
    protectsFrom: 'A trigger that somebody has added drops the entry of an act.',
    replacements: [
      change('database/audit-trail.ts', '!isDeepStrictEqual(written, entries)', 'written === undefined'),
      change('database/stores.ts', 'entered !== undefined && ', 'entered === 0 && '),
    ],
    tests: ['drops', 'changes', 'deletes'].map((what) =>
      test(trail, `on 'PGlite' > an act fails whose entry a trigger ${what}`),
    ),
    failure: /instead of rejecting/,
  },
  {
    name: 'hash-chain',
    protectsFrom: 'An entry of the audit trail is changed, removed or added.',
    replacements: [
      change(
        'database/audit-trail.ts',
        'if (!entry.isAuthentic) return broken',
        "if (entry.hash === '') return broken",
      ),
    ],
    tests: [
      'shows any change of any column',
      'shows an entry that is missing, moved or of another trail',
    ].map((title) => test(trail, `on 'PGlite' > ${title}`)),
    failure: /BROKEN|to match object/,
  },
  {
    name: 'published-head',
    protectsFrom: 'The latest entries of the audit trail are cut off.',
    replacements: [
      change(
        'operator/trail.ts',
        'if (await stores.auditTrail.continues(head)) continue;',
        'if (head) continue;',
      ),
    ],
    tests: [
      test(
        operatorsTrail,
        'operator trail > verifies it, also against what was published, and says which entry is broken',
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'something-compared',
    protectsFrom: 'The audit trail counts as intact although no published head was there to compare.',
    replacements: [change('operator/trail.ts', 'if (published.length === 0)', 'if (published.length < 0)')],
    tests: [
      test(
        operatorsTrail,
        'operator trail on a changed database > does not call a trail intact that it has compared with nothing',
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'forged-restore',
    protectsFrom: 'A forged entry explains that the latest entries of the audit trail are cut off.',
    replacements: [
      change(
        'database/audit-trail.ts',
        "state === 'INTACT' && isExplained",
        "state !== 'INTACT' || isExplained",
      ),
    ],
    tests: [
      test(trail, "on 'PGlite' > is not continued by an entry that somebody has written into the database"),
    ],
    failure: /to be false/,
  },
  {
    name: 'head-watched',
    protectsFrom: 'Nobody notices that the audit trail was cut off.',
    replacements: [
      change(
        'composition/watch-database.ts',
        '!(await auditTrail.continues(knownHead))',
        "knownHead.hash === ''",
      ),
    ],
    tests: [
      test(
        'test/runtime/watch-database.test.ts',
        'the end of the audit trail is published, and told to the witness; a trail that has lost it raises the alarm',
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'role-without-rights',
    protectsFrom: 'A process, or who takes it over, rewrites the audit trail.',
    replacements: [
      change('database/migrate.ts', 'await run(sql`revoke all on audit_trail from ${role}`);', ''),
    ],
    tests: ['changes', 'deletes from'].map((what) =>
      test(
        'test/database/service-role.test.ts',
        `on PGlite the role of the processes > never ${what} the audit trail`,
      ),
    ),
    failure: /to match object/,
  },
  {
    name: 'append-only-trigger',
    protectsFrom: 'The owner of the tables changes the audit trail by mistake.',
    replacements: [
      change(
        'database/migrations/0002_audit_trail_is_append_only.sql',
        "RAISE EXCEPTION 'The audit trail is append-only: % is refused.', TG_OP;",
        'RETURN NULL;',
      ),
    ],
    tests: ['changes', 'deletes from', 'empties'].map((what) =>
      test(trail, `on 'PGlite' > refuses whoever ${what} it`),
    ),
    failure: /instead of rejecting/,
  },
  {
    name: 'failures-encrypted',
    protectsFrom: 'An attacker with read access to Temporal reads failures.',
    replacements: [
      change(
        'encryption/failure-converter.cjs',
        'encodeCommonAttributes: true',
        'encodeCommonAttributes: false',
      ),
    ],
    tests: [
      test(
        canary,
        'personal data and secrets are > nowhere in Temporal, whose inputs, summaries and failures are encrypted anyway',
      ),
    ],
    failure: /\[ 'failure' \] to deeply equal \[\]/,
  },
  {
    name: 'payloads-encrypted',
    protectsFrom: 'An attacker with read access to Temporal reads inputs, results and summaries.',
    replacements: [
      change(
        'encryption/payload-codec.ts',
        'payloads.map((payload) => encrypt(',
        'payloads.map((payload) => payload ?? encrypt(',
      ),
      change(
        'encryption/payload-codec.ts',
        "return markUnreadable({ unreadablePayload: 'it is not encrypted.' });",
        'return payload;',
      ),
    ],
    tests: [
      test(
        canary,
        'personal data and secrets are > nowhere in Temporal, whose inputs, summaries and failures are encrypted anyway',
      ),
    ],
    failure: /\[ 'input', 'summary', 'failure' \] to deeply equal \[\]/,
  },
  {
    name: 'references-only',
    protectsFrom: 'Whoever may read Temporal and has a payload key learns personal data.',
    replacements: [
      change(
        'activities/registration-step.ts',
        'return await toResult(await work({ ...loaded, registrationNumber, policy }));',
        'return { ...(await toResult(await work({ ...loaded, registrationNumber, policy }))), ...loaded.open() };',
      ),
    ],
    tests: [test(canary, 'personal data and secrets are > in no payload in Temporal, even when decrypted')],
    failure: /'userName', 'birthDate'.* to deeply equal \[\]/,
  },
  {
    name: 'encrypted-with-member-key',
    protectsFrom: 'An attacker with read access to the database learns personal data.',
    replacements: [
      change(
        'database/member-cipher.ts',
        'seal(Buffer.from(JSON.stringify(value)), context),',
        'Buffer.concat([Buffer.from(JSON.stringify(value)), seal(Buffer.alloc(0), context)]),',
      ),
      change(
        'database/member-cipher.ts',
        'JSON.parse(open(sealed, context).toString()) as Value,',
        'JSON.parse(Buffer.from(sealed).subarray(0, -28).toString()) as Value,',
      ),
    ],
    tests: [test(canary, 'personal data and secrets are > nowhere in the database')],
    failure: /'userName', 'birthDate'.* to deeply equal \[\]/,
  },
  {
    name: 'log-without-input',
    protectsFrom: 'Logs leak personal data.',
    replacements: [change('runtime/log.ts', "error.message.split('\\nparams:')[0];", 'error.message;')],
    tests: [test('test/runtime/log.test.ts', 'logs a failed query without its parameters')],
    failure: /not to contain '김하늘'/,
  },
  {
    name: 'kept-correlation-id',
    protectsFrom: 'A client’s correlation ID brings personal data into logs, rows and requests to others.',
    replacements: [
      change('wire/headers.ts', 'documentedCorrelationId.test(given)', 'correlationIdPattern.test(given)'),
    ],
    tests: [
      test(
        'test/end-to-end/correlation.test.ts',
        'an ID of another form is echoed and not kept: 1, 01012341234/honggild',
      ),
    ],
    failure: /01012341234\/honggild/,
  },
  {
    name: 'nobody-in-traces',
    protectsFrom: 'Traces name a member.',
    replacements: [
      change('worker/correlate-activities.ts', 'workflowExecution?.runId', 'workflowExecution?.workflowId'),
    ],
    tests: [
      test(
        'test/end-to-end/correlation.test.ts',
        'the correlation ID of a registration > makes one trace of its spans, in which nobody is named',
      ),
    ],
    failure: /not to contain '1000000000/,
  },
  {
    name: 'ciphertext-location',
    protectsFrom: 'A ciphertext is copied to another row or column.',
    replacements: [
      change(
        'encryption/key-ring.ts',
        "createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))",
        "createCipheriv('aes-256-gcm', key, nonce)",
      ),
      change('encryption/key-ring.ts', '    .setAAD(Buffer.from(context))\n', ''),
    ],
    tests: [
      test(
        'test/database/sealed-values.test.ts',
        "on 'PGlite' > a sealed value > can be decrypted only in its own location",
      ),
    ],
    failure: /promise resolved "\{ …\(\d+\) \}" instead of rejecting/,
  },
  {
    name: 'evidence-authenticated',
    protectsFrom: 'Evidence is altered or swapped.',
    replacements: [change('database/consent-evidence.ts', '${JSON.stringify(record)}`', '${record.length}`')],
    tests: [
      test('test/operator/evidence.test.ts', 'evidence verify > finds one flipped bit > in durationMs'),
    ],
    failure: /expected \+?0 to be 1/,
  },
  {
    name: 'evidence-of-passed-call',
    protectsFrom: 'The recording of another call is taken for the evidence of consent.',
    replacements: [
      change('database/evidence-verification.ts', 'evidence?.callId === passedCall?.callId && ', ''),
    ],
    tests: [alteredRows('evidence of another call than the one that was passed is found')],
    failure: /expected \[\] to deeply equal/,
  },
  {
    name: 'passed-call-sealed',
    protectsFrom:
      'The call ID of a passed call is exchanged in the database before its recording is fetched.',
    replacements: [
      change(
        'activities/consent-evidence.ts',
        'const { attempt, callId } = record.passedCall!;',
        "const { attempt, callId } = (await stores.ledger.find(registrationNumber, 'ARS_CALL', 'DONE')) as typeof record.passedCall & {};",
      ),
    ],
    tests: [
      test(
        safeguards,
        'the evidence is of the call that was passed, though somebody exchanges its ID in the ledger of effects',
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'evidence-gate',
    protectsFrom: 'An account is registered without consent.',
    replacements: [
      change(
        'database/ledger.ts',
        'if (!(await hasEvidence(locked))) {',
        'if (!(await hasEvidence(locked)) && attempts.length > 99) {',
      ),
    ],
    tests: [
      test(
        safeguards,
        'a registration whose evidence is missing > is refused with 002_910 without a request to the payment gateway',
      ),
    ],
    failure: /002_910/,
  },
  {
    name: 'rows-sealed',
    protectsFrom:
      'Dates, bank or timeline of a registration, a legal hold or a mark of a purge are falsified in the database.',
    replacements: [
      change('database/row-seals.ts', 'return row.seal === this.seal(table, row);', 'return true;'),
    ],
    tests: [
      alteredRows('evidence verify finds any one column that is changed, and any one row that is deleted'),
    ],
    failure: /to deeply equal \[\]/,
  },
  {
    name: 'milestones-counted',
    protectsFrom:
      'A registration is deleted from the database with everything that belongs to it, or an account is put back as it was before its deletion.',
    replacements: [
      change('database/members.ts', 'if (stored !== member.milestones)', 'if (stored > member.milestones)'),
    ],
    tests: [
      alteredRows('a deleted registration is missed, even if everything that belongs to it is deleted too'),
      alteredRows('an open one is missed, too, once its evidence was stored'),
      alteredRows('an account that is put back as it was before its deletion is found'),
    ],
    failure: /expected \[\] to deeply equal/,
  },
  {
    name: 'authentic-counted',
    protectsFrom: 'A forged row is counted in place of a registration that was deleted from the database.',
    replacements: [
      change(
        'database/members.ts',
        "if (sealer.isAuthentic('registrations', row)) count(row.userId",
        'count(row.userId',
      ),
    ],
    tests: [
      alteredRows('a registered one is missed, too, though a copy of its row is left under an empty number'),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'beginning-sealed',
    protectsFrom: 'A registration that was handed out is hidden, as if it had never begun.',
    replacements: [
      change('database/row-seals.ts', "'triedSince', 'lookAt'", "'triedSince', 'begunAt', 'lookAt'"),
    ],
    tests: [
      test(
        'test/database/ledger.test.ts',
        "on 'PGlite' > a registration > is not withdrawn, whoever has emptied its beginning or put it back as it was before",
      ),
    ],
    failure: /promise resolved/,
  },
  {
    name: 'time-in-number',
    protectsFrom: 'A registration is dated to a time that its number contradicts.',
    replacements: [change('database/registration-alteration.ts', '> clockDifference)', '> Infinity)')],
    tests: [alteredRows('the time in a number must be that of its row')],
    failure: /expected \[\] to deeply equal/,
  },
  {
    name: 'altered-row-refused',
    protectsFrom: 'The service itself seals what somebody has written into the database.',
    replacements: [
      change(
        'database/locked-registration.ts',
        "const record = sealer.authentic('registrations', first.record);",
        'const record = first.record;',
      ),
    ],
    tests: [
      alteredRows('an altered registration is neither shown nor decided, so no alteration is sealed as ours'),
    ],
    failure: /promise resolved/,
  },
  {
    name: 'altered-row-hidden',
    protectsFrom: 'The API shows a registration that somebody has altered in the database.',
    replacements: [
      change(
        'database/registrations.ts',
        "rowSeals.authentic('registrations', rows)",
        'Promise.resolve([...rows])',
      ),
    ],
    tests: [
      alteredRows('an altered registration is neither shown nor decided, so no alteration is sealed as ours'),
    ],
    failure: /promise resolved/,
  },
  {
    name: 'altered-account-hidden',
    protectsFrom: 'The API shows an account that somebody has altered in the database.',
    replacements: [
      change('database/accounts.ts', "rowSeals.authentic('accounts', rows)", 'Promise.resolve([...rows])'),
    ],
    tests: [alteredRows('an altered account is not shown')],
    failure: /promise resolved/,
  },
  {
    name: 'project-authenticated',
    protectsFrom:
      'A notification URL or the state of a key is changed in the database, and results go elsewhere.',
    replacements: [
      change(
        'database/projects.ts',
        'const project = authenticProject(await rowSeals.open(), stored);',
        'const project = stored;',
      ),
    ],
    tests: [
      alteredRows('results are sent to no notification URL that somebody else has set'),
      alteredRows('a key that somebody else has activated is not used'),
    ],
    failure: /promise resolved/,
  },
  {
    name: 'keys-under-seal',
    protectsFrom: 'A key is added to a project, activated or taken away in the database.',
    replacements: [
      change(
        'database/projects.ts',
        "sealer.authentic('projects', { ...project, keysSha256: sha256OfKeys(project) });",
        '',
      ),
    ],
    tests: [alteredRows('a key that somebody else has activated is not used')],
    failure: /promise resolved/,
  },
  {
    name: 'results-not-silenced',
    protectsFrom: 'A notification URL is emptied for a moment, so that a result is sent nowhere.',
    replacements: [
      change(
        'database/locked-member.ts',
        "this.#sealer.authentic('projects', this.#project).notificationUrl",
        'this.#project.notificationUrl',
      ),
    ],
    tests: [alteredRows('no result is recorded while somebody else has emptied the notification URL')],
    failure: /promise resolved/,
  },
  {
    name: 'policy-authenticated',
    protectsFrom: 'A policy is changed in the database, and calls members at night.',
    replacements: [
      change('database/policies.ts', 'if (idOf(row.policy) !== policyId)', 'if (row.policyId !== policyId)'),
    ],
    tests: [alteredRows('a bank window and a policy that somebody else has changed are not applied')],
    failure: /promise resolved/,
  },
  {
    name: 'purge-unaltered',
    protectsFrom: 'Somebody back-dates evidence in the database, so that the service itself destroys it.',
    replacements: [
      change(
        'database/retention.ts',
        'locked.filter(({ alteration }) => alteration === undefined);',
        'locked;',
      ),
    ],
    tests: [alteredRows('evidence whose hold or dates somebody else has changed is not purged')],
    failure: /to be undefined/,
  },
  {
    name: 'evidence-in-both-ledgers',
    protectsFrom: 'Evidence is replaced by other evidence after the registration.',
    replacements: [change('activities/reconciliation.ts', "? 'OTHER_EVIDENCE' : null", '? null : null')],
    tests: [
      test(
        'test/end-to-end/reconciliation.test.ts',
        'of ledgers that disagree > reports each disagreement once, with its kind, and changes neither ledger',
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'recording-size',
    protectsFrom: 'A recording larger than 307,200 bytes is kept and sent.',
    replacements: [
      change(
        'payment-gateway/recording.ts',
        "if (recording.length > maxRecordingBytes) throw new UnacceptableRecording('The recording is too large.');",
        '',
      ),
    ],
    tests: [test(safeguards, 'a recording > of 307201 bytes ends the registration with 002_910')],
    failure: /002_910/,
  },
  {
    name: 'inquiry-before-repeat',
    protectsFrom: 'An account is registered twice.',
    replacements: [
      change(
        'database/ledger.ts',
        'if (latest && isOpen(latest)) return waitForCallback(locked, latest);',
        "if (latest && isOpen(latest)) await decide(locked, latest, { state: 'ABSENT', outcome: null }, 'INQUIRY');",
      ),
    ],
    tests: [
      test(
        'test/end-to-end/ledger-of-effects.test.ts',
        'a registration without a run > gets a new one, which asks about the open attempt and registers no second time',
      ),
    ],
    failure: /to deeply equal \[ ObjectContaining/,
  },
  {
    name: 'one-operation-per-member',
    protectsFrom: 'Two operations of a member run at once.',
    replacements: [
      change(
        'runs/registration-run.ts',
        "workflowIdConflictPolicy: 'FAIL'",
        "workflowIdConflictPolicy: 'USE_EXISTING'",
      ),
    ],
    tests: [
      test(
        'test/end-to-end/one-at-a-time.test.ts',
        'lets Temporal refuse a registration that another process has started',
      ),
    ],
    failure: /expected 'TERMINATED' to be 'RUNNING'/,
  },
  {
    name: 'calls-per-day',
    protectsFrom: 'A member is called again and again.',
    replacements: [
      change(
        'database/ars-calls.ts',
        "when count(*) filter (where user_id = ${userId}) >= ${limits.member} then 'MEMBER'",
        '',
      ),
      change(
        'database/ars-calls.ts',
        'when count(*) filter (where is_phone) >= ${limits.phone}',
        'when false',
      ),
      change(
        'database/ars-calls.ts',
        'when count(*) filter (where is_account) >= ${limits.account}',
        'when false',
      ),
    ],
    tests: [
      'are limited by PHONE_LIMIT, even if they arrive concurrently',
      'are limited by ACCOUNT_LIMIT, even if they arrive concurrently',
      'are limited by member, second calls included',
    ].map((title) => test('test/end-to-end/ars-calls.test.ts', `the calls of a day > ${title}`)),
    failure: /to have a length of 3|'MEMBER_LIMIT'/,
  },
  {
    name: 'calls-of-provider',
    protectsFrom: 'One service provider uses up the calls of another’s member.',
    replacements: [
      change(
        'database/ars-calls.ts',
        'or count(*) filter (where is_phone and asp_id = ${aspId}) >= ${limits.provider}',
        '',
      ),
      change('database/ars-calls.ts', 'or not ${isOwnPhone}::boolean', 'or false'),
      change(
        'database/ars-calls.ts',
        'or count(*) filter (where is_account and asp_id = ${aspId}) >= ${limits.provider}',
        '',
      ),
      change('database/ars-calls.ts', '`${call.bankCode}/${digitsOf(', '`${digitsOf('),
    ],
    tests: [
      test(
        'test/end-to-end/ars-calls.test.ts',
        'the calls of a day > of one service provider leave another’s member his calls, to his phone and for his account',
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'checks-per-day',
    protectsFrom: 'Somebody tries account numbers until one is a member’s.',
    replacements: [
      change(
        'database/account-checks.ts',
        'setWhere: sql`${before} + ${registrationsToday(userId)} < ${limit}`,',
        '',
      ),
      change('database/registrations.ts', "if (checks >= maxChecks) return 'CHECK_LIMIT';", ''),
    ],
    tests: [
      test(
        'test/end-to-end/ars-calls.test.ts',
        'the accounts that are checked for a member in a day > are limited by member, by themselves and as registrations',
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'calling-hours',
    protectsFrom: 'A member is called at night.',
    replacements: [change('database/ledger.ts', 'if (outside) {', 'if (outside && !outside) {')],
    tests: [
      test(
        'test/end-to-end/ars-calls.test.ts',
        'the hours in which members may be called > apply to a call that is still being retried when they end',
      ),
    ],
    failure: /to match object \{ step: 'POSTPONED'/,
  },
  {
    name: 'live-code-kept',
    protectsFrom: 'A repeated or copied request replaces the code that the member sees.',
    replacements: [
      change(
        'database/ars-codes.ts',
        'setWhere: or(isNotNull(arsCodes.spentBy), lte(arsCodes.expiresAt, new Date()))!,',
        '',
      ),
    ],
    tests: [
      test(
        'test/database/ars.test.ts',
        "on 'PGlite' > an ARS code > is issued once, however often it is asked for, until it is used or has expired",
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'member-key-destroyed',
    protectsFrom: 'A member’s data can be read after the member’s erasure.',
    replacements: [
      change(
        'database/members.ts',
        'await transaction.delete(memberKeys).where(eq(memberKeys.userId, userId));',
        '',
      ),
    ],
    tests: [
      test('test/end-to-end/erasure.test.ts', 'an erased member > leaves nothing that can be decrypted'),
    ],
    failure: /expected 1 to be \+?0/,
  },
  {
    name: 'erased-hashes',
    protectsFrom:
      'Whoever has the database and its keys confirms a guess of the phone number or the account of an erased member.',
    replacements: [change('database/members.ts', 'await eraseHashes(transaction, sealer, userId);', '')],
    tests: [
      test(
        'test/database/members.test.ts',
        "on 'PGlite' > keeps of an erased member only what identifies nobody and confirms no guess",
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'erased-values-emptied',
    protectsFrom: 'An erased member’s recordings and details are kept, and open with a copy of the key.',
    replacements: [
      change('database/members.ts', '.set({ sealedRecording: null, sha256', '.set({ sha256'),
      change(
        'database/members.ts',
        'await transaction.update(registrations).set({ sealedDetails: null }).where(ofMember);',
        '',
      ),
    ],
    tests: [
      test('test/end-to-end/erasure.test.ts', 'an erased member > leaves nothing that can be decrypted'),
    ],
    failure: /to deeply equal \[ null, null \]/,
  },
  {
    name: 'erased-from-files',
    protectsFrom: 'The key of an erased member is read from the files of the database.',
    replacements: [
      change('database/vacuum.ts', "'vacuum (full, verbose) member_keys'", "'vacuum (verbose) member_keys'"),
      // A plain VACUUM says what it kept, too: that line of defence is the next guard's.
      change(
        'database/vacuum.ts',
        'if (!hasRemovedAll(details))',
        'if (!hasRemovedAll(details) && left < 0)',
      ),
    ],
    tests: [
      test(
        erasedFiles,
        "on 'PostgreSQL' > the key of an erased member > goes from every file of the database",
      ),
    ],
    failure: /to deeply equal \[\]/,
  },
  {
    name: 'erased-under-snapshot',
    protectsFrom:
      'The key of an erased member counts as destroyed although an open transaction has kept it in the file.',
    replacements: [
      change(
        'database/vacuum.ts',
        'if (!hasRemovedAll(details))',
        'if (!hasRemovedAll(details) && left < 0)',
      ),
    ],
    tests: [
      test(
        erasedFiles,
        "on 'PostgreSQL' > the key of an erased member > is left, and counted, while an older transaction may still read it",
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'erased-in-time',
    protectsFrom: 'The key of a member who was erased during the rewrite counts as destroyed.',
    replacements: [
      change(
        'database/vacuum.ts',
        'and(isLeft, sql`${members.userId} = any(${sql.param(erased.map(({ userId }) => userId))})`)',
        'isLeft',
      ),
    ],
    tests: [
      test(
        erasedFiles,
        "on 'PGlite' > the key of an erased member > is left if the member was erased after the table of keys was written",
      ),
    ],
    failure: /to match object/,
  },
  {
    name: 'no-statistics',
    protectsFrom: 'PostgreSQL copies the keys of members into its statistics, where they outlive an erasure.',
    replacements: [
      change(
        'database/migrations/0001_no_statistics_of_sealed_values.sql',
        'ALTER TABLE "member_keys" ALTER COLUMN "sealed_data_key" SET STATISTICS 0;',
        'select 1;',
      ),
    ],
    tests: [test(erasedFiles, "on 'PGlite' > PostgreSQL samples no sealed value")],
    failure: /to deeply equal/,
  },
  {
    name: 'legal-hold',
    protectsFrom: 'Evidence is destroyed under a legal hold.',
    replacements: [change('database/retention.ts', 'isNull(legalHolds.releasedAt),', 'sql`false`,')],
    tests: [
      test(
        'test/database/retention.test.ts',
        "on 'PGlite' > the retention period of evidence > lasts at least as long as a legal hold",
      ),
    ],
    failure: /expected 2 to be 1/,
  },
  {
    name: 'retention',
    protectsFrom: 'Evidence is destroyed before five years are over.',
    replacements: [
      change('database/retention.ts', "interval '5 years 1 day'", "interval '0 days'"),
      change('database/retention.ts', "interval '5 years'`", "interval '0 days'`"),
    ],
    tests: [
      test(
        'test/database/retention.test.ts',
        "on 'PGlite' > the retention period of evidence > is five years from the day after the consent was last used",
      ),
    ],
    failure: /expected false to be true/,
  },
  {
    name: 'retention-first-day',
    protectsFrom: 'Evidence is destroyed a day too early.',
    replacements: [change('database/retention.ts', "interval '5 years 1 day'", "interval '5 years'")],
    tests: [
      test(
        'test/database/retention.test.ts',
        "on 'PGlite' > the retention period of evidence > is five years from the day after the consent was last used",
      ),
    ],
    failure: /expected false to be true/,
  },
  {
    name: 'sandbox-on-this-machine',
    protectsFrom: 'A web page whose name resolves to this machine reads the sandbox’s keys (DNS rebinding).',
    replacements: [
      change(
        'api/http/local-requests.ts',
        "if (host !== 'localhost' && !isIP(host)) throw refusal('Host');",
        '',
      ),
    ],
    tests: [
      test(
        'test/wire/errors-outside-the-wire.test.ts',
        'a page of another site, whose name resolves to this machine, > reaches nothing of the sandbox by GET /sandbox/credentials',
      ),
    ],
    failure: /'evil\.example', 403/,
  },
  {
    name: 'data-directory-modes',
    protectsFrom: 'Other users of the machine read the sandbox’s keys and data.',
    replacements: [
      change(
        'development/sandbox/data-directory.ts',
        'for (const name of readdirSync(directory)) if (ownEntry.test(name)) restrict(join(directory, name));',
        'void [ownEntry, restrict];',
      ),
    ],
    tests: [
      test(
        'test/sandbox/data-directory.test.ts',
        'a data directory that others may read, and what the sandbox wrote there, is taken from them',
      ),
    ],
    failure: /to deeply equal/,
  },
  {
    name: 'core-dumps',
    protectsFrom: 'A core dump holds keys.',
    replacements: [
      change('runtime/process.ts', '  keepMemoryOutOfCoreDumps();\n', '  void keepMemoryOutOfCoreDumps;\n'),
    ],
    tests: [
      test(
        'test/runtime/core-dumps.test.ts',
        'a core dump of a process, or of one that it starts, holds nothing of its memory',
      ),
    ],
    failure: /00000000/,
  },
  {
    name: 'no-sandbox-in-production',
    protectsFrom: 'Production runs with a sandbox’s settings.',
    replacements: [
      change('composition/production-settings.ts', 'if (!isProduction(settings)) return;', 'return;'),
    ],
    tests: [
      test(
        production,
        'api/main.ts refuses a sandbox’s settings in production, with every reason at once and without values',
      ),
    ],
    failure: /'waiting' to be 1/,
  },
  {
    name: 'production-by-default',
    protectsFrom: 'A process takes the settings of a sandbox, because nobody set NODE_ENV.',
    replacements: [
      change(
        'composition/production-settings.ts',
        "return name !== 'development' && name !== 'test';",
        "return name === 'production';",
      ),
    ],
    tests: [
      test(
        production,
        'api/main.ts refuses trivial secrets and plaintext, every one of them at once, without NODE_ENV',
      ),
    ],
    failure: /'waiting' to be 1/,
  },
  {
    name: 'weak-secrets',
    protectsFrom: 'A key or secret is guessed, or one secret gives away another.',
    replacements: [change('composition/production-settings.ts', '...findWeakSecrets(settings), ', '')],
    tests: [
      'DATABASE_KEYS: a key is a sequence',
      'PG_SHARED_SECRET: a secret repeats itself',
      'PAYLOAD_KEYS: a key is also one of DATABASE_KEYS',
    ].map((title) => test(production, `one setting alone is refused > ${title}`)),
    failure: /to have a length of 1/,
  },
  {
    name: 'no-plaintext',
    protectsFrom: 'A network between the processes, PostgreSQL and Temporal is read or altered.',
    replacements: [
      change('composition/production-settings.ts', ', ...findUnprotectedConnections(settings)]', ']'),
    ],
    tests: [test(production, 'one setting alone is refused > Temporal without TLS')],
    failure: /promise resolved/,
  },
  {
    name: 'protections-stay-on',
    protectsFrom: 'A setting turns a protection off: the time window, the calling hours.',
    replacements: [
      change('composition/production-settings.ts', 'timeWindow > maxTimeWindow,', 'timeWindow < 0,'),
      change('composition/production-settings.ts', "'CALLING_HOURS' in settings && !callsByDay,", 'false,'),
    ],
    tests: [
      'TIME_WINDOW_MS: old requests could be replayed',
      'CALLING_HOURS: members must not be called at night',
    ].map((title) => test(production, `one setting alone is refused > ${title}`)),
    failure: /to have a length of 1/,
  },
  {
    name: 'database-role',
    protectsFrom: 'A leaked database password reads files, creates roles or gets round row security.',
    replacements: [
      change(
        'composition/production-settings.ts',
        '...(dangerousRights.length > 0',
        '...(dangerousRights.length > 99',
      ),
    ],
    tests: [test(production, 'one setting alone is refused > DATABASE_URL: with the role of a superuser')],
    failure: /promise resolved/,
  },
  {
    name: 'no-value-in-errors',
    protectsFrom: 'An error shows the value of a setting.',
    replacements: [
      change(
        'runtime/config.ts',
        'return `  ${name}: ${message}${',
        'return `  ${name}: ${message} ${environment[name]}${',
      ),
    ],
    tests: [
      test('test/processes/environment.test.ts', 'names the malformed keys without repeating their values'),
    ],
    failure: /not to match .*long-text/,
  },
  {
    name: 'dependency-audit',
    protectsFrom: 'A dependency has a known vulnerability.',
    replacements: [
      change('test/audit.mjs', "severity === 'high' || severity === 'critical'", "severity === 'none'"),
    ],
    tests: ['high', 'critical'].map((severity) =>
      test('test/audit.test.ts', `the audit fails on a dependency with a ${severity} vulnerability`),
    ),
    failure: /to contain 'hono: (high|critical)/,
  },
  {
    name: 'audit-carried-out',
    protectsFrom: 'An audit that could not ask the registry passes for a clean one.',
    replacements: [change('test/audit.mjs', "outcome === 'clean' || isWaived", "outcome !== 'vulnerable'")],
    tests: [test('test/audit.test.ts', 'the audit fails if the registry does not answer')],
    failure: /expected \+?0 to be 1/,
  },
  {
    name: 'pinned-downloads',
    protectsFrom: 'The downloaded Temporal CLI is another program.',
    replacements: [
      change(
        'development/sandbox/temporal-executable.ts',
        "if (sum.digest('hex') !== expectedSum)",
        'if (!expectedSum)',
      ),
    ],
    tests: [
      test(
        'test/sandbox/temporal-executable.test.ts',
        'a download that is not the published archive is neither kept nor run',
      ),
    ],
    failure: /promise resolved/,
  },
  {
    name: 'release-provenance',
    protectsFrom: 'A release holds what nobody reviewed.',
    replacements: [
      change('.github/workflows/release.yml', 'subject-path: release/*', 'subject-path: release/none'),
    ],
    tests: [
      test(
        'test/audit.test.ts',
        'the release workflow > attests the provenance of all that it publishes, and runs only actions of a known commit',
      ),
    ],
    failure: /to match/,
  },
  {
    name: 'content-security-policy',
    protectsFrom: 'The documentation page runs a foreign script.',
    replacements: [
      change(
        'api/routes/docs.ts',
        "context.header('Content-Security-Policy', contentSecurityPolicy);",
        'void contentSecurityPolicy;',
      ),
    ],
    tests: [test('test/docs/openapi-examples.test.ts', 'the documentation page allows no foreign script')],
    failure: /to match .*default-src 'none'/,
  },
  {
    name: 'reconciliation',
    protectsFrom: 'The ledgers drift apart unnoticed.',
    replacements: [
      change(
        'activities/reconciliation.ts',
        'compared.map(conclude)',
        "compared.map((one) => ({ ...conclude(one), kind: 'MATCHED' as const, detail: null }))",
      ),
    ],
    tests: [
      test(
        'test/end-to-end/reconciliation.test.ts',
        'of ledgers that disagree > reports each disagreement once, with its kind, and changes neither ledger',
      ),
    ],
    failure: /to deeply equal \{ …\(15\) \}/,
  },
  {
    name: 'reconciliation-daily',
    protectsFrom: 'Nobody compares the ledgers.',
    replacements: [
      change('composition/schedules.ts', 'calendars: [{ hour: 4, minute: 30 }]', 'calendars: []'),
    ],
    tests: [
      test(
        'test/end-to-end/reconciliation.test.ts',
        'the schedule > exists once, even if workers restart, and stays paused',
      ),
    ],
    failure: /to match object \[/,
  },
];
