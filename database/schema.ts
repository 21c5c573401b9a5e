import { sql } from 'drizzle-orm';
import {
  boolean,
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
} from 'drizzle-orm/pg-core';
import type { NotificationState } from '../contract/activities.ts';
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
  /** Where results are delivered; null: nowhere. */
  notificationUrl: text('notification_url'),
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

/** RSA keys for message encryption: our private key sealed, the client's public key in PEM. */
export const cryptoKeys = pgTable('crypto_keys', {
  cryptoKeyId: text('crypto_key_id').primaryKey(),
  aspId: text('asp_id')
    .notNull()
    .references(() => projects.aspId),
  state: text('state').$type<KeyState>().notNull(),
  issuedAt: time('issued_at').notNull().defaultNow(),
  databaseKeyId: text('database_key_id').notNull(),
  sealedServerPrivateKey: sealed('sealed_server_private_key').notNull(),
  clientPublicKey: text('client_public_key').notNull(),
});

/**
 * Members. Everything personal is sealed by the member's own data key, which a database key seals in turn. An erased
 * member keeps the row, so that its registrations can be inquired about, but has no data key any more.
 */
export const members = pgTable('members', {
  userId: text('user_id').primaryKey(),
  aspId: text('asp_id')
    .notNull()
    .references(() => projects.aspId),
  databaseKeyId: text('database_key_id').notNull(),
  sealedDataKey: sealed('sealed_data_key'),
  sealedFacts: sealed('sealed_facts'),
  /** The sequence number of the member's latest result notification. */
  notificationSequence: integer('notification_sequence').notNull().default(0),
  erasedAt: time('erased_at'),
  /** The operator who erased the member, and why. */
  erasedBy: text('erased_by'),
  erasureReason: text('erasure_reason'),
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
    phoneHash: text('phone_hash').notNull(),
    accountHash: text('account_hash').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.registrationNumber, table.attempt] }),
    index('ars_calls_of_member').on(table.calledOn, table.userId),
    index('ars_calls_to_phone').on(table.calledOn, table.phoneHash),
    index('ars_calls_for_account').on(table.calledOn, table.accountHash),
  ],
);

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
  },
  (table) => [index('windows_of_bank').on(table.bankCode)],
);

/** Registrations, inserted before their run starts and kept for years. */
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
    status: text('status').$type<RegistrationStatus>().notNull(),
    resultCode: text('result_code').$type<ResultCode>(),
    createdAt: time('created_at').notNull().defaultNow(),
    endedAt: time('ended_at'),
    /** The timeline, set when the registration ends. Until then, the run has it. */
    timeline: jsonb('timeline').$type<readonly TimelineEntry[]>(),
    /** When the personal data and the evidence were purged, after the retention period. */
    purgedAt: time('purged_at'),
  },
  (table) => [
    index('registrations_by_asp').on(table.aspId, table.registrationNumber),
    index('registrations_of_member').on(table.userId),
    index('registrations_to_purge')
      .on(table.endedAt)
      .where(sql`purged_at is null`),
  ],
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
    /** What deactivated it: the number of the registration that replaced it, or the ID of the deletion's run. */
    retiredBy: text('retired_by'),
    removedAt: time('removed_at'),
  },
  (table) => [
    uniqueIndex('one_active_account_per_member')
      .on(table.userId)
      .where(sql`state = 'ACTIVE'`),
    index('accounts_of_member').on(table.userId),
    index('accounts_by_what_retired_them').on(table.retiredBy),
  ],
);

/**
 * Evidence of consent: the recording of the ARS call, sealed by the member's data key. Every other column is
 * authenticated with it.
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
  /** Of the recording as fetched, in lower-case hex. */
  sha256: text('sha256').notNull(),
  sealedRecording: sealed('sealed_recording').notNull(),
  storedAt: time('stored_at').notNull().defaultNow(),
});

/** Legal holds: while one is in force, the evidence of the registration is neither purged nor erased. */
export const legalHolds = pgTable(
  'legal_holds',
  {
    legalHoldId: integer('legal_hold_id').primaryKey().generatedAlwaysAsIdentity(),
    registrationNumber: text('registration_number')
      .notNull()
      .references(() => registrations.registrationNumber),
    heldAt: time('held_at').notNull().defaultNow(),
    heldBy: text('held_by').notNull(),
    /** Why; not a member's data. */
    reason: text('reason').notNull(),
    releasedAt: time('released_at'),
    releasedBy: text('released_by'),
    releaseReason: text('release_reason'),
  },
  (table) => [
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
    occurredAt: time('occurred_at').notNull().defaultNow(),
    /** How often it was sent so far. */
    deliveries: integer('deliveries').notNull().default(0),
    deliveredAt: time('delivered_at'),
  },
  (table) => [uniqueIndex('one_notification_per_sequence').on(table.userId, table.sequence)],
);

/** Ciphertexts accepted inside the time window, by SHA-256, so that none is accepted twice. */
export const acceptedCiphertexts = pgTable(
  'accepted_ciphertexts',
  {
    aspId: text('asp_id').notNull(),
    sha256: text('sha256').notNull(),
    expiresAt: time('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.aspId, table.sha256] }),
    index('accepted_until').on(table.expiresAt),
  ],
);

/** Comparisons of our ledger with the payment gateway's. */
export const reconciliations = pgTable('reconciliations', {
  /** The ID of the first run of its workflow. */
  reconciliationId: text('reconciliation_id').primaryKey(),
  startedAt: time('started_at').notNull().defaultNow(),
  endedAt: time('ended_at'),
  counts: jsonb('counts').$type<ReconciliationCounts>(),
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
