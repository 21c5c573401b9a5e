import { createHmac, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { and, asc, desc, eq, gt, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { MissingKeyError } from '../encryption/key-ring.ts';
import type { KeyRing } from '../encryption/key-ring.ts';
import { serviceName } from '../runtime/bearer-tokens.ts';
import type { Queries } from './database.ts';
import { auditTrail, auditTrailKeys } from './schema.ts';

/** One entry of the audit trail. */
export type AuditEntry = typeof auditTrail.$inferSelect;

/** An entry as the database has it. */
export interface ListedEntry extends AuditEntry {
  /** Whether its hash is right: it is ours, and so is its place behind the entry with the number before. */
  readonly isAuthentic: boolean;
}

/** Which entries are listed: those with all of these. */
type EntryFilter = Partial<Pick<AuditEntry, 'actor' | 'userId' | 'registrationNumber' | 'aspId'>>;

/** Who acts, and from where. */
export interface Actor {
  /** The operator's name, or `service` for what the service does by itself. */
  readonly name: string;
  /** User and host, or the address of an HTTP client. */
  readonly origin: string;
}

/** Of what the service does by itself. */
export const serviceActor: Actor = { name: serviceName, origin: hostname() };

/** What is done, on what and why. It has no personal data: no names, accounts, phone numbers. */
export interface Act {
  readonly action: string;
  readonly aspId?: string | undefined;
  readonly userId?: string | undefined;
  readonly registrationNumber?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly reason?: string | undefined;
  /** The entry of the request that it carries out for another person. */
  readonly approves?: number | undefined;
}

/** The latest entry at some time. Kept outside the database, it shows whether later entries were cut off. */
export interface AuditTrailHead {
  readonly sequence: number;
  readonly at: Date;
  readonly hash: string;
}

/** What a verification found. */
export type AuditTrailFinding =
  | { readonly state: 'INTACT'; readonly head: AuditTrailHead | undefined }
  | { readonly state: 'BROKEN'; readonly sequence: number; readonly problem: string };

/** The audit trail cannot be believed. */
export class BrokenAuditTrail extends Error {
  constructor({ sequence, problem }: Extract<AuditTrailFinding, { state: 'BROKEN' }>) {
    super(`Entry ${sequence} of the audit trail is broken: ${problem}. See: operator trail --verify`);
  }
}

/** The act after which an earlier head need not be found any more: a restore has lost what came after the backup. */
const restored = 'restored';

/** How many entries are read at once. */
const pageSize = 1_000;

const keyId = 'audit-trail';

/** The place of the key. */
export const auditTrailKeyContext = (auditTrailKeyId: string): string =>
  `audit-trail-keys/${auditTrailKeyId}`;

/** A head in one word, as it is published. */
export function formatHead({ sequence, at, hash }: AuditTrailHead): string {
  return `${sequence}/${at.toISOString()}/${hash}`;
}

/** Reads a published head; undefined for anything else. */
export function parseHead(text: string): AuditTrailHead | undefined {
  const [, sequence, at, hash] = /^([1-9]\d{0,8})\/(\d{4}-[\d-]+T[\d:.]+Z)\/([0-9a-f]{64})$/.exec(text) ?? [];
  return sequence && at && hash ? { sequence: Number(sequence), at: new Date(at), hash } : undefined;
}

/**
 * The audit trail. Each entry has a keyed hash over itself and the hash of the entry before, so whoever has the database
 * without its keys can neither change an entry nor add one. That the last entries are missing shows only a head that was
 * kept elsewhere.
 */
export function createAuditTrail(queries: Queries, keys: KeyRing) {
  const ofTrail = eq(auditTrailKeys.auditTrailKeyId, keyId);

  async function findHead(): Promise<AuditTrailHead | undefined> {
    const [latest] = await queries
      .select({ sequence: auditTrail.sequence, at: auditTrail.at, hash: auditTrail.hash })
      .from(auditTrail)
      .orderBy(desc(auditTrail.sequence))
      .limit(1);
    return latest;
  }

  /** Undefined when it is missing or was altered. @throws {MissingKeyError} */
  async function findKey(): Promise<Buffer | undefined> {
    const [row] = await queries.select().from(auditTrailKeys).where(ofTrail);
    try {
      return row && openKey(row);
    } catch (error) {
      if (error instanceof MissingKeyError) throw error;
      return undefined;
    }
  }

  function openKey({ databaseKeyId, sealedKey }: typeof auditTrailKeys.$inferSelect): Buffer {
    return keys.open(databaseKeyId, sealedKey, auditTrailKeyContext(keyId));
  }

  /** Puts this transaction's entries behind those of all others, until it ends. */
  async function lock(): Promise<Buffer> {
    const select = () => queries.select().from(auditTrailKeys).where(ofTrail).for('update');
    const [row] = await select();
    if (row) return openKey(row);
    const sealedKey = keys.seal(randomBytes(32), auditTrailKeyContext(keyId));
    await queries
      .insert(auditTrailKeys)
      .values({ auditTrailKeyId: keyId, databaseKeyId: keys.activeKeyId, sealedKey })
      .onConflictDoNothing();
    const [created] = await select();
    return openKey(created!);
  }

  /** The time only once the lock is held, so that times follow the sequence. */
  async function readNow(): Promise<{ at: Date; address: string | null }> {
    const { rows } = (await queries.execute(
      sql`select floor(extract(epoch from clock_timestamp()) * 1000)::text as ms, host(inet_client_addr()) as address`,
    )) as { rows: [{ ms: string; address: string | null }] };
    return { at: new Date(Number(rows[0].ms)), address: rows[0].address };
  }

  async function findAuthentic(
    sequence: number,
  ): Promise<{ readonly entry: AuditEntry; readonly approvedBy: number | undefined } | undefined> {
    const rows = await queries
      .select()
      .from(auditTrail)
      .where(
        sql`${auditTrail.sequence} in (${sequence - 1}, ${sequence}) or ${auditTrail.approves} = ${sequence}`,
      );
    const entry = rows.find((row) => row.sequence === sequence);
    const key = await findKey();
    const before = rows.find((row) => row.sequence === sequence - 1);
    if (!entry || !key || entry.hash !== hashOf(key, entry, before?.hash)) return undefined;
    return { entry, approvedBy: rows.find(({ approves }) => approves === sequence)?.sequence };
  }

  async function readPage(
    key: Buffer | undefined,
    filter: EntryFilter,
    after: number | undefined,
  ): Promise<ListedEntry[]> {
    const conditions = Object.entries(filter).map(
      ([name, value]) => sql`${auditTrail[name as keyof typeof filter]} = ${value}`,
    );
    const before = alias(auditTrail, 'before');
    const rows = await queries
      .select({ entry: auditTrail, hashBefore: before.hash })
      .from(auditTrail)
      .leftJoin(before, eq(before.sequence, sql`${auditTrail.sequence} - 1`))
      .where(and(after === undefined ? undefined : gt(auditTrail.sequence, after), ...conditions))
      .orderBy(asc(auditTrail.sequence))
      .limit(pageSize);
    return rows.map(({ entry, hashBefore }) => ({
      ...entry,
      isAuthentic: key !== undefined && entry.hash === hashOf(key, entry, hashBefore ?? undefined),
    }));
  }

  /**
   * Visits the entries in their order, up to the first that is missing or altered.
   * @param after default: from below the first number, since a row may be there that is not ours
   */
  async function follow(visit: (entry: AuditEntry) => void, after?: number): Promise<AuditTrailFinding> {
    let head: AuditTrailHead | undefined;
    let last = after;
    const key = await findKey();
    const broken = (sequence: number, problem: string) => ({ state: 'BROKEN', sequence, problem }) as const;
    for (;;) {
      const page = await readPage(key, {}, last);
      if (page.length === 0) return { state: 'INTACT', head };
      if (!key) return broken(1, 'the key of the audit trail is missing, or was altered');
      for (const entry of page) {
        const next = (last ?? 0) + 1;
        if (entry.sequence < 1) return broken(entry.sequence, 'no entry has such a number');
        if (entry.sequence !== next) return broken(next, 'it is missing');
        if (!entry.isAuthentic) return broken(next, 'it was altered, or is not of this trail');
        visit(entry);
        head = entry;
        last = next;
      }
    }
  }

  return {
    /**
     * Adds entries. To be called within the transaction of the act, and last: it keeps all other acts waiting until the
     * transaction ends.
     * @returns the sequence of the last one
     * @throws {Error} when the database has not written them as they are: a trigger of somebody else dropped or changed one
     */
    async append({ name, origin }: Actor, acts: readonly [Act, ...Act[]]): Promise<number> {
      const key = await lock();
      let head = await findHead();
      const { at, address } = await readNow();
      const entries: AuditEntry[] = [];
      for (const act of acts) {
        const entry = {
          sequence: (head?.sequence ?? 0) + 1,
          at,
          actor: name,
          action: act.action,
          aspId: act.aspId ?? null,
          userId: act.userId ?? null,
          registrationNumber: act.registrationNumber ?? null,
          details: JSON.stringify(act.details ?? {}),
          reason: act.reason ?? null,
          origin: address === null ? origin : `${origin} (${address})`,
          approves: act.approves ?? null,
        };
        head = { sequence: entry.sequence, at, hash: hashOf(key, entry, head?.hash) };
        entries.push({ ...entry, hash: head.hash });
      }
      const written = await queries.insert(auditTrail).values(entries).returning();
      if (!isDeepStrictEqual(written, entries))
        throw new Error('The database has not written an entry of the audit trail as it is.');
      return entries.at(-1)!.sequence;
    },

    /** The latest entry; undefined while there is none. */
    head: findHead,

    /** The entries of this page, in their order. @param after the sequence of the last one of the page before */
    async list(filter: EntryFilter, after?: number): Promise<ListedEntry[]> {
      return await readPage(await findKey(), filter, after);
    },

    /**
     * The latest entry of an action. None behind it may be missing or altered: it could be a later one of that action.
     * @throws {BrokenAuditTrail}
     */
    async findLatest(action: string): Promise<AuditEntry | undefined> {
      const [latest] = await queries
        .select({ sequence: auditTrail.sequence })
        .from(auditTrail)
        .where(eq(auditTrail.action, action))
        .orderBy(desc(auditTrail.sequence))
        .limit(1);
      if (!latest) return undefined;
      let found: AuditEntry | undefined;
      const finding = await follow((entry) => {
        found ??= entry;
      }, latest.sequence - 1);
      if (finding.state === 'BROKEN') throw new BrokenAuditTrail(finding);
      return found;
    },

    /** An entry whose hash is right, and the number of the entry that has carried it out, if one has. */
    findAuthentic,

    /** Whether the trail still has an entry that was its latest once, or a restore of the database explains that it has not. */
    async continues({ sequence, at, hash }: AuditTrailHead): Promise<boolean> {
      if ((await findAuthentic(sequence))?.entry.hash === hash) return true;
      let isExplained = false;
      const { state } = await follow((entry) => {
        isExplained ||= entry.action === restored && entry.at > at;
      });
      return state === 'INTACT' && isExplained;
    },

    /** Recomputes every hash. @returns the first entry that is missing or altered, if there is one */
    verify: () => follow(() => {}),
  };
}

function hashOf(key: Buffer, entry: Omit<AuditEntry, 'hash'>, before = ''): string {
  const { sequence, at, actor, action, aspId, userId, registrationNumber } = entry;
  const { details, reason, origin, approves } = entry;
  // JSON of an array: every field has one place, and no two trails have the same text.
  const subject = [aspId, userId, registrationNumber];
  const what = [actor, action, ...subject, details, reason, origin, approves];
  const canonical = JSON.stringify([before, sequence, at.toISOString(), ...what]);
  return createHmac('sha256', key).update(canonical).digest('hex');
}
