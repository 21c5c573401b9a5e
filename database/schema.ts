import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  customType,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { NotificationState } from '../contract/activities.ts';
import type { EffectKind, EffectOutcome, EffectSource, EffectState } from '../contract/effects.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import type { RegistrationStep } from '../contract/registration.ts';
import type { FindingDetail, ReconciliationCounts, ReconciliationKind } from '../contract/reconciliation.ts';
import type { RegistrationStatus } from '../wire/registration-status.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import type { TimelineEntry } from '../wire/timeline.ts';
import type { RecordingFormat } from '../contract/recording.ts';

/** Encrypted bytes. PGlite answers Uint8Array where node-postgres answers Buffer. */
const sealed = customType<{ data: Buffer; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  fromDriver: (value) => Buffer.from(value),
});

const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });

/** The ARS call that a member passed. */
export interface PassedCall {
  readonly attempt: number;
  /** The payment gateway's. */
  readonly callId: string;
}

/** Whether a project or key may be used: an inactive one can be activated again, a discarded one never. */
export type KeyState = 'ACTIVE' | 'INACTIVE' | 'DISCARDED';

/** Projects of service providers (ASPs). */
export const projects = pgTable('projects', {
  aspId: text('asp_id').primaryKey(),
  state: text('state').$type<KeyState>().notNull(),
  /** Whether endpoints that document an encrypted body refuse a plain one. */
  demandsEncryption: boolean('demands_encryption').notNull().default(true),
  /** Whether an account's holder must be the member, by name and birth date. */
  comparesMember: boolean('compares_member').notNull().default(true),
  /** Whether accounts at savings banks, forestry cooperatives and securities firms are registered too. */
  acceptsAllInstitutions: boolean('accepts_all_institutions').notNull().default(false),
  /** Where results are delivered; null: nowhere. */
  notificationUrl: text('notification_url'),
  /** Of its keys without the secrets, so that the seal covers them, too. */
  keysSha256: text('keys_sha256').notNull(),
  /** See `row-seals.ts`. */
  seal: text('seal').notNull(),
});

/** Access keys, by hash: they are compared, never shown again. */
export const accessKeys = pgTable('access_keys', {
  sha256: text('sha256').primaryKey(),
  aspId: text('asp_id')
    .notNull()
    .references(() => projects.aspId),
  state: text('state').$type<KeyState>().notNull(),
  issuedAt: time('issued_at').notNull().defaultNow(),
});

/** Secret keys for transaction tokens, sealed by a database key. */
export const secretKeys = pgTable('secret_keys', {
  secretKeyId: text('secret_key_id').primaryKey(),
  aspId: text('asp_id')
    .notNull()
    .references(() => projects.aspId),
  state: text('state').$type<KeyState>().notNull(),
  databaseKeyId: text('database_key_id').notNull(),
  sealedSecret: sealed('sealed_secret').notNull(),
  issuedAt: time('issued_at').notNull().defaultNow(),
});

/** RSA keys for message encryption: our private key and the client's public key, sealed by a database key. */
export const cryptoKeys = pgTable('crypto_keys', {
  cryptoKeyId: text('crypto_key_id').primaryKey(),
  aspId: text('asp_id')
    .notNull()
    .references(() => projects.aspId),
  state: text('state').$type<KeyState>().notNull(),
  issuedAt: time('issued_at').notNull().defaultNow(),
  databaseKeyId: text('database_key_id').notNull(),
  /** Together, so that neither can be exchanged alone. */
  sealedKeyPair: sealed('sealed_key_pair').notNull(),
});

/**
 * Members. Everything personal is sealed by the member's own data key. An erased member keeps the row, so that its
 * registrations can be inquired about, but has no data key any more.
 */
export const members = pgTable(
  'members',
  {
    userId: text('user_id').primaryKey(),
    aspId: text('asp_id')
      .notNull()
      .references(() => projects.aspId),
    sealedFacts: sealed('sealed_facts'),
    /** The sequence number of the member's latest result notification. */
    notificationSequence: integer('notification_sequence').notNull().default(0),
    /** How many milestones the member's registrations and accounts have passed: see `milestones.ts`. */
    milestones: integer('milestones').notNull().default(0),
    erasedAt: time('erased_at'),
    /** The operator who erased the member, and why. */
    erasedBy: text('erased_by'),
    erasureReason: text('erasure_reason'),
    /** When the data key had gone from the files of the database as well. */
    keyDestroyedAt: time('key_destroyed_at'),
    /** See `row-seals.ts`. */
    seal: text('seal').notNull(),
  },
  (table) => [
    index('members_erased')
      .on(table.erasedAt)
      .where(sql`erased_at is not null`),
  ],
);

/**
 * The members' data keys, sealed by a database key. A table of its own, and a narrow one, because it is rewritten after
 * erasures: PostgreSQL leaves deleted rows in its files.
 */
export const memberKeys = pgTable('member_keys', {
  userId: text('user_id')
    .primaryKey()
    .references(() => members.userId),
  aspId: text('asp_id').notNull(),
  databaseKeyId: text('database_key_id').notNull(),
  sealedDataKey: sealed('sealed_data_key').notNull(),
});

/** The keys that seal rows, sealed by a database key. */
export const sealKeys = pgTable('seal_keys', {
  sealKeyId: text('seal_key_id').primaryKey(),
  databaseKeyId: text('database_key_id').notNull(),
  sealedKey: sealed('sealed_key').notNull(),
});

/** The latest ARS code of each member. */
export const arsCodes = pgTable('ars_codes', {
  userId: text('user_id')
    .primaryKey()
    .references(() => members.userId),
  arsCodeId: text('ars_code_id').notNull(),
  sealedCode: sealed('sealed_code').notNull(),
  expiresAt: time('expires_at').notNull(),
  /** The registration whose ARS call used the code. */
  spentBy: text('spent_by'),
});

/**
 * The ARS calls of the last days, to be counted. Phone and account are keyed hashes: equal ones can be counted, none
 * can be read.
 */
export const arsCalls = pgTable(
  'ars_calls',
  {
    registrationNumber: text('registration_number').notNull(),
    attempt: integer('attempt').notNull(),
    /** The day in Korea. */
    calledOn: date('called_on', { mode: 'string' }).notNull(),
    userId: text('user_id').notNull(),
    aspId: text('asp_id').notNull(),
    phoneHash: text('phone_hash').notNull(),
    /** Whether the phone is the one stored of the member. */
    isOwnPhone: boolean('is_own_phone').notNull(),
    /** Of the bank and the account number. */
    accountHash: text('account_hash').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.registrationNumber, table.attempt] }),
    index('ars_calls_of_member').on(table.calledOn, table.userId),
    index('ars_calls_to_phone').on(table.calledOn, table.phoneHash),
    index('ars_calls_for_account').on(table.calledOn, table.accountHash),
  ],
);

/** How many accounts were checked for a member on the latest day, apart from those of registrations. */
export const accountChecks = pgTable('account_checks', {
  userId: text('user_id')
    .primaryKey()
    .references(() => members.userId),
  /** The day in Korea. */
  checkedOn: date('checked_on', { mode: 'string' }).notNull(),
  checks: integer('checks').notNull(),
});

/** When banks are closed for maintenance: every day at the same time, or once. */
export const bankWindows = pgTable(
  'bank_windows',
  {
    bankWindowId: integer('bank_window_id').primaryKey().generatedAlwaysAsIdentity(),
    bankCode: text('bank_code').notNull(),
    /** In ms since midnight in Korea, `until` excluded; it may span midnight. Null for a one-time window. */
    dailyFrom: integer('daily_from'),
    dailyUntil: integer('daily_until'),
    /** Null for a daily window. */
    startsAt: time('starts_at'),
    endsAt: time('ends_at'),
    /** See `row-seals.ts`. */
    seal: text('seal').notNull(),
  },
  (table) => [index('windows_of_bank').on(table.bankCode)],
);

/** The policies that registrations began with, by the SHA-256 of their JSON. */
export const policies = pgTable('policies', {
  policyId: text('policy_id').primaryKey(),
  policy: jsonb('policy').$type<RegistrationPolicy>().notNull(),
});

/**
 * Registrations, inserted before their run starts and kept for years. The row knows what has happened; each change is
 * made under its lock, together with its entry in the timeline.
 */
export const registrations = pgTable(
  'registrations',
  {
    registrationNumber: text('registration_number').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => members.userId),
    aspId: text('asp_id')
      .notNull()
      .references(() => projects.aspId),
    bankCode: text('bank_code').notNull(),
    /** Account, holder, phone and code as JSON; null once purged. */
    sealedDetails: sealed('sealed_details'),
    /** The code issued beforehand that this registration uses; null when the registration made its own. */
    arsCodeId: text('ars_code_id'),
    /** Of the request that began it; null: a restore has lost it. */
    correlationId: text('correlation_id'),
    /** What a new run needs to continue it. */
    policyId: text('policy_id')
      .notNull()
      .references(() => policies.policyId),
    status: text('status').$type<RegistrationStatus>().notNull(),
    step: text('step').$type<RegistrationStep>().notNull(),
    /** Since when the request of this step has been tried; how long it is tried counts from here. */
    triedSince: time('tried_since').notNull().defaultNow(),
    resultCode: text('result_code').$type<ResultCode>(),
    createdAt: time('created_at').notNull().defaultNow(),
    /** When Temporal took on a run for it, or the run came first. Before that nobody was given the number. */
    begunAt: time('begun_at'),
    /** When it was taken back because it never began. It is hidden; nobody has the number. */
    withdrawnAt: time('withdrawn_at'),
    endedAt: time('ended_at'),
    timeline: jsonb('timeline').$type<readonly TimelineEntry[]>().notNull(),
    /** The ARS call in which the member consented: its recording is the evidence. */
    passedCall: jsonb('passed_call').$type<PassedCall>(),
    /** Until then its run is believed to be alive; after that, the sweep starts one. */
    lookAt: time('look_at').notNull().defaultNow(),
    /** How often the sweep found it overdue. */
    replacements: integer('replacements').notNull().default(0),
    /** When the personal part and the evidence went, their retention being over. */
    purgedAt: time('purged_at'),
    /** The number of its result notification; null: it has none. */
    notificationSequence: integer('notification_sequence'),
    /** How many legal holds it has or had. */
    legalHolds: integer('legal_holds').notNull().default(0),
    /** See `row-seals.ts`. */
    seal: text('seal').notNull(),
  },
  (table) => [
    index('registrations_by_asp').on(table.aspId, table.registrationNumber),
    index('registrations_of_member').on(table.userId),
    index('registrations_of_request').on(table.correlationId),
    // The backstop for a Temporal that has forgotten a run. Usually Temporal refuses first.
    uniqueIndex('one_open_registration_per_member')
      .on(table.userId)
      .where(sql`begun_at is not null and ended_at is null`),
    index('registrations_to_look_at')
      .on(table.lookAt)
      .where(sql`ended_at is null`),
    index('registrations_withdrawn')
      .on(table.withdrawnAt)
      .where(sql`withdrawn_at is not null`),
    index('registrations_purged')
      .on(table.purgedAt)
      .where(sql`purged_at is not null`),
    index('registrations_to_purge')
      .on(table.endedAt)
      .where(sql`purged_at is null`),
  ],
);

/**
 * The ledger of effects: everything that left the house and cannot be taken back lightly, committed before it leaves.
 * What may have left counts as sent. It has no personal data.
 */
export const effects = pgTable(
  'effects',
  {
    registrationNumber: text('registration_number')
      .notNull()
      .references(() => registrations.registrationNumber),
    kind: text('kind').$type<EffectKind>().notNull(),
    /** From 1; a removal has one attempt only. */
    attempt: integer('attempt').notNull(),
    state: text('state').$type<EffectState>().notNull(),
    outcome: text('outcome').$type<EffectOutcome>(),
    callId: text('call_id'),
    decidedBy: text('decided_by').$type<EffectSource>(),
    /** The one execution that may send it; null: assumed sent, because a restore may have lost the row. */
    execution: uuid('execution'),
    sentAt: time('sent_at').notNull(),
    /** After this time the payment gateway refuses the request. */
    sendBy: time('send_by').notNull(),
    /** A NOT_FOUND counts only if the question was put after this time. */
    settledAt: time('settled_at').notNull(),
    asks: integer('asks').notNull().default(0),
    /** When the payment gateway is to be asked next, or a removal to be looked at. */
    askAt: time('ask_at').notNull(),
    decidedAt: time('decided_at'),
    /** Something that was said after the decision, and does not match it. */
    contradiction: text('contradiction').$type<EffectOutcome | 'REGISTERED'>(),
  },
  (table) => [
    primaryKey({ columns: [table.registrationNumber, table.kind, table.attempt] }),
    check('attempts_count_from_one', sql`attempt >= 1`),
    check('decided_or_open', sql`(state in ('SENT', 'ACCEPTED')) = (decided_at is null)`),
    uniqueIndex('one_open_effect')
      .on(table.registrationNumber, table.kind)
      .where(sql`state in ('SENT', 'ACCEPTED')`),
    uniqueIndex('registered_once')
      .on(table.registrationNumber)
      .where(sql`kind = 'REGISTRATION' and state = 'DONE'`),
    index('effects_decided_at')
      .on(table.decidedAt)
      .where(sql`decided_at is not null`),
    index('removals_to_look_at')
      .on(table.askAt)
      .where(sql`kind = 'REMOVAL' and state = 'SENT'`),
  ],
);

/**
 * The lives of this database. A restore begins a new one: what was committed after the backup is lost, so nothing is sent
 * until an operator has said so.
 */
export const incarnations = pgTable('incarnations', {
  incarnation: integer('incarnation').primaryKey(),
  /** Of the PostgreSQL cluster; a copy by dump has another one. Overwritten once an older copy of the disk was noticed. */
  systemIdentifier: text('system_identifier').notNull(),
  /** Of the write-ahead log; a point-in-time recovery and a failover begin another one. */
  timeline: text('timeline').notNull(),
  begunAt: time('begun_at').notNull(),
  /** Until when the database knows everything; null: nothing was lost. */
  restoredTo: time('restored_to'),
  /** When `operator adopt` had brought back everything that was lost; null: it has not, or nothing was lost. */
  adoptedAt: time('adopted_at'),
  /** Result notifications are numbered from here on at least, so that no number is used twice. */
  firstSequence: integer('first_sequence').notNull(),
});

/** What operators decided, by whom and why. No member's data. */
export const operatorDecisions = pgTable(
  'operator_decisions',
  {
    operatorDecisionId: integer('operator_decision_id').primaryKey().generatedAlwaysAsIdentity(),
    registrationNumber: text('registration_number')
      .notNull()
      .references(() => registrations.registrationNumber),
    decidedAt: time('decided_at').notNull(),
    operator: text('operator').notNull(),
    decision: text('decision').notNull(),
    reason: text('reason').notNull(),
    /** What the payment gateway said at that time. */
    paymentGatewaySaid: text('payment_gateway_said').notNull(),
  },
  (table) => [index('operator_decisions_on').on(table.registrationNumber)],
);

/** Accounts that are or were registered at the payment gateway. */
export const accounts = pgTable(
  'accounts',
  {
    registrationNumber: text('registration_number')
      .primaryKey()
      .references(() => registrations.registrationNumber),
    userId: text('user_id')
      .notNull()
      .references(() => members.userId),
    /** Short display ID: five digits. */
    accountId: text('account_id').notNull(),
    /** REPLACED and DELETED: inactive, to be removed at the payment gateway. */
    state: text('state').$type<'ACTIVE' | 'REPLACED' | 'DELETED' | 'REMOVED'>().notNull(),
    autoChargeSince: time('auto_charge_since'),
    activatedAt: time('activated_at').notNull().defaultNow(),
    retiredAt: time('retired_at'),
    /** The registration that replaced it; null when it was deleted. */
    replacedBy: text('replaced_by'),
    removedAt: time('removed_at'),
    /** See `row-seals.ts`. */
    seal: text('seal').notNull(),
  },
  (table) => [
    uniqueIndex('one_active_account_per_member')
      .on(table.userId)
      .where(sql`state = 'ACTIVE'`),
    index('accounts_of_member').on(table.userId),
  ],
);

/**
 * Evidence of consent: the recording of the ARS call, sealed by the member's data key. Every other column is
 * authenticated with it, and by a seal that outlives the member's erasure.
 */
export const consentEvidence = pgTable('consent_evidence', {
  registrationNumber: text('registration_number')
    .primaryKey()
    .references(() => registrations.registrationNumber),
  callId: text('call_id').notNull(),
  attempt: integer('attempt').notNull(),
  scriptVersion: text('script_version').notNull(),
  format: text('format').$type<RecordingFormat>().notNull(),
  bytes: integer('bytes').notNull(),
  durationMs: integer('duration_ms').notNull(),
  /** Of the recording as fetched, in lower-case hex. Null once the member is erased. */
  sha256: text('sha256'),
  /** Null once the member is erased. */
  sealedRecording: sealed('sealed_recording'),
  storedAt: time('stored_at').notNull().defaultNow(),
  /** See `row-seals.ts`. */
  seal: text('seal').notNull(),
});

/** Legal holds: while one is in force, the evidence of the registration is neither purged nor erased. */
export const legalHolds = pgTable(
  'legal_holds',
  {
    registrationNumber: text('registration_number')
      .notNull()
      .references(() => registrations.registrationNumber),
    /** From 1. */
    ordinal: integer('ordinal').notNull(),
    heldAt: time('held_at').notNull(),
    heldBy: text('held_by').notNull(),
    /** Why; not a member's data. */
    reason: text('reason').notNull(),
    releasedAt: time('released_at'),
    releasedBy: text('released_by'),
    releaseReason: text('release_reason'),
    /** See `row-seals.ts`. */
    seal: text('seal').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.registrationNumber, table.ordinal] }),
    uniqueIndex('one_legal_hold_per_registration')
      .on(table.registrationNumber)
      .where(sql`released_at is null`),
  ],
);

/** Results to be sent to service providers, numbered per member without gaps. */
export const resultNotifications = pgTable(
  'result_notifications',
  {
    registrationNumber: text('registration_number')
      .primaryKey()
      .references(() => registrations.registrationNumber),
    userId: text('user_id')
      .notNull()
      .references(() => members.userId),
    sequence: integer('sequence').notNull(),
    state: text('state').$type<NotificationState>().notNull(),
    /** How often it was sent so far. */
    deliveries: integer('deliveries').notNull().default(0),
    redeliveredAfter: integer('redelivered_after').notNull().default(0),
    nextDeliveryAt: time('next_delivery_at').notNull().defaultNow(),
    /** Until then the run that delivers it is believed to be alive. */
    lookAt: time('look_at')
      .notNull()
      .default(sql`now() + interval '1 minute'`),
    deliveredAt: time('delivered_at'),
  },
  (table) => [
    uniqueIndex('one_notification_per_sequence').on(table.userId, table.sequence),
    index('notifications_to_look_at')
      .on(table.lookAt)
      .where(sql`state = 'PENDING'`),
  ],
);

/** Requests that may be repeated: ciphertexts as long as their key lives, and Idempotency-Keys of a day. */
export const rememberedRequests = pgTable(
  'remembered_requests',
  {
    aspId: text('asp_id').notNull(),
    /** SHA-256 in hex: of the ciphertext, or of the operation and its Idempotency-Key. */
    digest: text('digest').notNull(),
    /** The path of the operation. */
    operation: text('operation').notNull(),
    /** The key of a ciphertext; null for an Idempotency-Key. */
    cryptoKeyId: text('crypto_key_id'),
    /** A keyed hash of the validated fields that came with an Idempotency-Key; null for a ciphertext. */
    contentHash: text('content_hash'),
    /** The registration that the request makes or changes, once that is known. */
    registrationNumber: text('registration_number'),
    firstSeenAt: time('first_seen_at').notNull().defaultNow(),
    /** When it had its effect; null: it had none, or that was not noted. */
    effectAt: time('effect_at'),
  },
  (table) => [
    primaryKey({ columns: [table.aspId, table.digest] }),
    index('idempotency_keys_by_age')
      .on(table.firstSeenAt)
      .where(sql`crypto_key_id is null`),
    index('ciphertexts_by_key')
      .on(table.cryptoKeyId)
      .where(sql`crypto_key_id is not null`),
  ],
);

/** Comparisons of our ledger with the payment gateway's. */
export const reconciliations = pgTable('reconciliations', {
  /** The ID of the first run of its workflow. */
  reconciliationId: text('reconciliation_id').primaryKey(),
  startedAt: time('started_at').notNull().defaultNow(),
  endedAt: time('ended_at'),
  counts: jsonb('counts').$type<ReconciliationCounts>(),
  /** The end of the audit trail at that time. */
  auditTrailHead: text('audit_trail_head'),
});

/**
 * The registrations that a reconciliation compares; after its end, only its findings. Account numbers are compared on
 * read and never stored.
 */
export const reconciledRegistrations = pgTable(
  'reconciled_registrations',
  {
    reconciliationId: text('reconciliation_id')
      .notNull()
      .references(() => reconciliations.reconciliationId, { onDelete: 'cascade' }),
    /** The payment gateway's reference: perhaps not one of our registration numbers. */
    registrationNumber: text('registration_number').notNull(),
    /** The live entries in the payment gateway's ledger; a set, so that a repeated page counts once. */
    entryIds: text('entry_ids').array().notNull(),
    /** How an entry differs from our request. */
    difference: text('difference').$type<FindingDetail>(),
    /** Null before it is known, and where neither ledger has it any more. */
    kind: text('kind').$type<ReconciliationKind>(),
    detail: text('detail').$type<FindingDetail>(),
  },
  (table) => [primaryKey({ columns: [table.reconciliationId, table.registrationNumber] })],
);

/** The payload keys that a process has used, so that none is confused with another. */
export const payloadKeys = pgTable('payload_keys', {
  payloadKeyId: text('payload_key_id').primaryKey(),
  /** A keyed hash of a constant: enough to recognise the key, nothing to decrypt with. */
  fingerprint: text('fingerprint').notNull(),
  firstUsedAt: time('first_used_at').notNull().defaultNow(),
});

/**
 * The audit trail: every act of an operator and every administrative act, entered in the transaction of the act. The
 * processes may add to it and read it, nothing else; a trigger refuses the rest from everybody. It has no personal data.
 */
export const auditTrail = pgTable(
  'audit_trail',
  {
    /** From 1, without gaps. */
    sequence: integer('sequence').primaryKey(),
    /** By the database's clock, to the millisecond. */
    at: time('at').notNull(),
    /** The operator, as the token says; or `service`. */
    actor: text('actor').notNull(),
    /** What was done: the operator's command, such as `project state`. */
    action: text('action').notNull(),
    aspId: text('asp_id'),
    userId: text('user_id'),
    registrationNumber: text('registration_number'),
    /** JSON. */
    details: text('details').notNull(),
    reason: text('reason'),
    /** From where: user and host, or the address of an HTTP client; and the address that the database sees. */
    origin: text('origin').notNull(),
    /** The entry of the request that this act carries out for another person. */
    approves: integer('approves'),
    /** HMAC-SHA256 over everything above and the hash of the entry before, in lower-case hex. */
    hash: text('hash').notNull(),
  },
  (table) => [
    uniqueIndex('one_approval_per_request').on(table.approves),
    index('audit_trail_of_registration').on(table.registrationNumber),
    index('audit_trail_of_member').on(table.userId),
  ],
);

/** The key of the audit trail's hashes, sealed by a database key. One row, whose lock also puts the entries in order. */
export const auditTrailKeys = pgTable('audit_trail_keys', {
  auditTrailKeyId: text('audit_trail_key_id').primaryKey(),
  databaseKeyId: text('database_key_id').notNull(),
  sealedKey: sealed('sealed_key').notNull(),
});

/** What names an effect. */
export const effectKey = [effects.registrationNumber, effects.kind, effects.attempt];

/** The database's clock. `now()` would be the start of the transaction, before it waited for a lock. */
export const databaseTime = sql<Date>`clock_timestamp()`.mapWith(registrations.createdAt);

/**
 * The time at which a statement outside a transaction began. A condition on {@link databaseTime}, which may change with each
 * row, would read the whole index.
 */
export const statementTime = sql`now()`;
