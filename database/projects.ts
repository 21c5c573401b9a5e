import { createHash, createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { and, eq, lt, max, ne, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { union } from 'drizzle-orm/pg-core';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { LRUCache } from 'lru-cache';
import type { KeyRing } from '../encryption/key-ring.ts';
import type { Queries } from './database.ts';
import { releaseNotifications } from './result-notifications.ts';
import type { RowSealer, RowSeals } from './row-seals.ts';
import { accessKeys, cryptoKeys, projects, secretKeys } from './schema.ts';
import type { KeyState } from './schema.ts';

/** A pair of message encryption keys: ours decrypts requests, the client's encrypts responses. */
export interface CryptoKey {
  readonly cryptoKeyId: string;
  readonly state: KeyState;
  readonly serverPrivateKey: KeyObject;
  readonly clientPublicKey: KeyObject;
}

type ParsedKeys = Pick<CryptoKey, 'serverPrivateKey' | 'clientPublicKey'>;

/** A service provider's project with its keys, each kind in the order of issue. */
export interface Project {
  readonly aspId: string;
  readonly state: KeyState;
  readonly demandsEncryption: boolean;
  readonly comparesMember: boolean;
  readonly acceptsAllInstitutions: boolean;
  /** Where results are delivered; null: nowhere. */
  readonly notificationUrl: string | null;
  readonly accessKeys: readonly { readonly sha256: string; readonly state: KeyState }[];
  readonly secretKeys: readonly { readonly secret: string; readonly state: KeyState }[];
  readonly cryptoKeys: readonly CryptoKey[];
}

/** The keys for message encryption, in PEM. */
type KeyPair = Pick<NewKeys, 'serverPrivateKey' | 'clientPublicKey'>;

/** A set of keys to issue to a project, all active from then on. Keys for encryption in PEM. */
export interface NewKeys {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly cryptoKeyId: string;
  readonly serverPrivateKey: string;
  readonly clientPublicKey: string;
}

/** Everything needed to add a project with its first keys. */
export interface NewProject
  extends
    NewKeys,
    Pick<Project, 'aspId' | 'demandsEncryption' | 'comparesMember'>,
    Partial<Pick<Project, 'acceptsAllInstitutions'>> {}

/** A discarded project was to be activated again. */
export class DiscardedError extends Error {
  override readonly name = 'DiscardedError';
}

/** The hash by which access keys are stored and compared, in lower-case hex. */
export function hashAccessKey(accessKey: string): string {
  return createHash('sha256').update(accessKey).digest('hex');
}

/** How long a changed key or state may go unnoticed by a running process, in ms. */
const keyStateDelay = 1_000;

/** The place of a secret key. */
export const secretContext = (aspId: string, secretKeyId: string): string =>
  `projects/${aspId}/secret-keys/${secretKeyId}`;
/** The place of a pair of message encryption keys. */
export const cryptoContext = (aspId: string, cryptoKeyId: string): string =>
  `projects/${aspId}/crypto-keys/${cryptoKeyId}`;

/** A sealed key as a query answers it. */
interface StoredKey {
  readonly state: KeyState;
  readonly id: string;
  /** In Unix ms. */
  readonly issuedAt: number;
  readonly databaseKeyId: string;
  /** In hex. */
  readonly sealed: string;
}

function storedKey(id: AnyPgColumn, databaseKeyId: AnyPgColumn, sealed: AnyPgColumn): SQL {
  return sql`'id', ${id}, 'databaseKeyId', ${databaseKeyId}, 'sealed', encode(${sealed}, 'hex')`;
}

/** The service providers' projects. */
export function createProjects(queries: Queries, keys: KeyRing, rowSeals: RowSeals) {
  // Parsing a key takes longer than a decryption, and a key never changes; only its state does, which is not kept here.
  const parsed = new LRUCache<string, ParsedKeys>({ max: 2_000 });

  function parsedKeys(aspId: string, { id, databaseKeyId, sealed }: StoredKey): ParsedKeys {
    const place = cryptoContext(aspId, id);
    const known = parsed.get(place);
    if (known) return known;
    const opened = keys.open(databaseKeyId, Buffer.from(sealed, 'hex'), place);
    const pem = JSON.parse(opened.toString()) as KeyPair;
    const pair = {
      serverPrivateKey: createPrivateKey(pem.serverPrivateKey),
      clientPublicKey: createPublicKey(pem.clientPublicKey),
    };
    parsed.set(place, pair);
    return pair;
  }

  /** @throws {AlteredRow} */
  async function load(aspId: string): Promise<Project | undefined> {
    const stored = await readProject(queries, aspId);
    if (!stored) return undefined;
    const project = authenticProject(await rowSeals.open(), stored);
    return {
      ...project,
      secretKeys: project.secretKeys.map(({ state, id, databaseKeyId, sealed }) => ({
        state,
        secret: keys.open(databaseKeyId, Buffer.from(sealed, 'hex'), secretContext(aspId, id)).toString(),
      })),
      cryptoKeys: project.cryptoKeys.map((row) => ({
        cryptoKeyId: row.id,
        state: row.state,
        ...parsedKeys(aspId, row),
      })),
    };
  }

  /**
   * Changes a project or its keys, one change at a time: another would see half of it.
   * @returns undefined when there is no such project
   * @throws {AlteredRow} rather than seal what somebody else has written
   */
  async function change<Answer>(
    aspId: string,
    work: (transaction: Queries) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const answer = await queries.transaction(async (transaction) => {
      const sealer = await rowSeals.open(transaction);
      await transaction.select().from(projects).where(eq(projects.aspId, aspId)).for('update');
      const before = await readProject(transaction, aspId);
      if (!before) return undefined;
      authenticProject(sealer, before);
      const result = await work(transaction);
      await sealProject(transaction, sealer, aspId);
      return result;
    });
    forgetRecent();
    return answer;
  }

  const set = async (aspId: string, values: Partial<typeof projects.$inferInsert>): Promise<boolean> =>
    (await change(aspId, async (transaction) => {
      await transaction.update(projects).set(values).where(eq(projects.aspId, aspId));
      return true;
    })) ?? false;

  async function issue(transaction: Pick<Queries, 'insert'>, aspId: string, newKeys: NewKeys): Promise<void> {
    const active = { aspId, state: 'ACTIVE', databaseKeyId: keys.activeKeyId } as const;
    const { cryptoKeyId, serverPrivateKey, clientPublicKey } = newKeys;
    const keyPair: KeyPair = { serverPrivateKey, clientPublicKey };
    const secretKeyId = randomUUID();
    await transaction.insert(accessKeys).values({ ...active, sha256: hashAccessKey(newKeys.accessKey) });
    await transaction.insert(secretKeys).values({
      ...active,
      secretKeyId,
      sealedSecret: keys.seal(Buffer.from(newKeys.secretKey), secretContext(aspId, secretKeyId)),
    });
    await transaction.insert(cryptoKeys).values({
      ...active,
      cryptoKeyId,
      sealedKeyPair: keys.seal(Buffer.from(JSON.stringify(keyPair)), cryptoContext(aspId, cryptoKeyId)),
    });
  }

  const recent = new LRUCache<string, Project>({
    max: 1_000,
    ttl: keyStateDelay,
    fetchMethod: load,
    // Forgetting a project would otherwise fail the requests that are reading it.
    ignoreFetchAbort: true,
  });

  /** Every access key that there is, so that a request with another one costs no query, whoever it claims to come from. */
  const known = new LRUCache<'ALL', ReadonlySet<string>>({
    max: 1,
    ttl: keyStateDelay,
    ignoreFetchAbort: true,
    fetchMethod: async () => {
      const { aspId, sha256 } = accessKeys;
      const rows = await queries.select({ aspId, sha256 }).from(accessKeys);
      return new Set(rows.map((row) => `${row.aspId}/${row.sha256}`));
    },
  });

  function forgetRecent(): void {
    recent.clear();
    known.clear();
  }

  return {
    /**
     * The project that has this access key, in any state; as it was at most a second ago. Answers equally fast for an
     * unknown project and for a wrong key, and without a query.
     * @throws {AlteredRow}
     */
    async findByAccessKey(aspId: string, accessKey: string): Promise<Project | undefined> {
      const keysInUse = await known.fetch('ALL');
      return keysInUse?.has(`${aspId}/${hashAccessKey(accessKey)}`) ? await recent.fetch(aspId) : undefined;
    },

    /** The project with all its keys, if there is one; as it was at most a second ago. @throws {AlteredRow} */
    find: (aspId: string): Promise<Project | undefined> => recent.fetch(aspId),

    /** Makes the next `find` of every project read the database. */
    forgetRecent,

    /** The problems of projects and their keys, by ASP ID. */
    async findProblems(): Promise<[aspId: string, problem: string][]> {
      const problems: [string, string][] = [];
      const idsOf = (table: typeof projects | typeof accessKeys | typeof secretKeys | typeof cryptoKeys) =>
        queries.select({ aspId: table.aspId }).from(table);
      // A project that was deleted leaves its keys.
      const all = union(idsOf(projects), idsOf(accessKeys), idsOf(secretKeys), idsOf(cryptoKeys));
      for (const { aspId } of await all) {
        try {
          if (!(await load(aspId))) problems.push([aspId, 'it is gone']);
        } catch (error) {
          problems.push([
            aspId,
            `it or a key of it was altered (${error instanceof Error ? error.message : String(error)})`,
          ]);
        }
      }
      return problems;
    },

    /**
     * Adds a project with its keys in one transaction; an existing one stays unchanged.
     * @returns whether it was added
     */
    async add({
      aspId,
      demandsEncryption,
      comparesMember,
      acceptsAllInstitutions,
      ...first
    }: NewProject): Promise<boolean> {
      const isAdded = await queries.transaction(async (transaction) => {
        const added = await transaction
          .insert(projects)
          .values({
            aspId,
            state: 'ACTIVE',
            demandsEncryption,
            comparesMember,
            acceptsAllInstitutions,
            // Until its keys are there.
            keysSha256: '',
            seal: '',
          })
          .onConflictDoNothing()
          .returning();
        if (added.length === 0) return false;
        await issue(transaction, aspId, first);
        await sealProject(transaction, await rowSeals.open(transaction), aspId);
        return true;
      });
      forgetRecent();
      return isAdded;
    },

    /**
     * Issues a second set of keys beside the first, so that a service provider changes over without a gap.
     * @returns whether it was issued: a project has at most two crypto keys that are not discarded
     */
    async renewKeys(aspId: string, second: NewKeys): Promise<boolean> {
      const isIssued = await change(aspId, async (transaction) => {
        const held = await transaction.$count(cryptoKeys, inUse(cryptoKeys, aspId));
        if (held === 1) await issue(transaction, aspId, second);
        return held === 1;
      });
      return isIssued ?? false;
    },

    /**
     * Discards all keys but those issued last, which ends a change of keys.
     * @returns whether anything was discarded
     */
    async retireKeys(aspId: string): Promise<boolean> {
      const isDiscarded = await change(aspId, async (transaction) => {
        let discarded = 0;
        for (const table of [accessKeys, secretKeys, cryptoKeys]) {
          const latest = transaction
            .select({ at: max(table.issuedAt) })
            .from(table)
            .where(inUse(table, aspId));
          const retired = await transaction
            .update(table)
            .set({ state: 'DISCARDED' })
            .where(and(inUse(table, aspId), lt(table.issuedAt, latest)))
            .returning({ aspId: table.aspId });
          discarded += retired.length;
        }
        return discarded > 0;
      });
      return isDiscarded ?? false;
    },

    /** Sets at which institutions a project registers accounts. False when there is no such project. */
    setAcceptsAllInstitutions: (aspId: string, acceptsAllInstitutions: boolean): Promise<boolean> =>
      set(aspId, { acceptsAllInstitutions }),

    /** Sets where a project's results are delivered; null: nowhere. False when there is no such project. */
    setNotificationUrl: (aspId: string, notificationUrl: string | null): Promise<boolean> =>
      set(aspId, { notificationUrl }),

    /**
     * Sets the state of a project. Notifications that were held back go on when it becomes active. False when there is
     * no such project.
     * @throws {DiscardedError} when it is discarded
     */
    async setState(aspId: string, state: KeyState): Promise<boolean> {
      const isUpdated = await change(aspId, async (transaction) => {
        const updated = await transaction
          .update(projects)
          .set({ state })
          .where(and(eq(projects.aspId, aspId), allowing(state, projects.state)))
          .returning({ aspId: projects.aspId });
        if (state === 'ACTIVE') await releaseNotifications(transaction, aspId);
        return updated.length > 0;
      });
      if (isUpdated === undefined) return false;
      if (!isUpdated) throw new DiscardedError(`Project ${aspId} is discarded permanently.`);
      return true;
    },
  };
}

/**
 * A project with its keys in the order of issue, unverified; undefined if there is none. One statement: between two of them
 * a change could be committed, which would look like an alteration.
 */
async function readProject(through: Queries, aspId: string) {
  const ofProject = <Row>(table: typeof accessKeys | typeof secretKeys | typeof cryptoKeys, row: SQL) => {
    const issuedAt = sql`floor(extract(epoch from ${table.issuedAt}) * 1000)`;
    const rows = sql`json_agg(json_build_object('state', ${table.state}, 'issuedAt', ${issuedAt}, ${row}) order by ${table.issuedAt})`;
    return sql<Row[]>`(select coalesce(${rows}, '[]') from ${table} where ${eq(table.aspId, aspId)})`;
  };
  const [found] = await through
    .select({
      project: projects,
      access: ofProject<Omit<StoredKey, 'databaseKeyId' | 'sealed'>>(
        accessKeys,
        sql`'id', ${accessKeys.sha256}`,
      ),
      secrets: ofProject<StoredKey>(
        secretKeys,
        storedKey(secretKeys.secretKeyId, secretKeys.databaseKeyId, secretKeys.sealedSecret),
      ),
      crypto: ofProject<StoredKey>(
        cryptoKeys,
        storedKey(cryptoKeys.cryptoKeyId, cryptoKeys.databaseKeyId, cryptoKeys.sealedKeyPair),
      ),
    })
    .from(projects)
    .where(eq(projects.aspId, aspId));
  if (!found) return undefined;
  const access = found.access.map((row) => ({ ...row, sha256: row.id }));
  return { ...found.project, accessKeys: access, secretKeys: found.secrets, cryptoKeys: found.crypto };
}

type StoredProject = NonNullable<Awaited<ReturnType<typeof readProject>>>;

/** @throws {AlteredRow} when its row was altered, or a key was added, changed or taken away */
function authenticProject(sealer: RowSealer, project: StoredProject): StoredProject {
  sealer.authentic('projects', { ...project, keysSha256: sha256OfKeys(project) });
  return sealer.authentic('projects', project);
}

/** Seals a project with its keys as they are. */
export async function sealProject(transaction: Queries, sealer: RowSealer, aspId: string): Promise<void> {
  const project = (await readProject(transaction, aspId))!;
  const keysSha256 = sha256OfKeys(project);
  const seal = sealer.seal('projects', { ...project, keysSha256 });
  await transaction.update(projects).set({ keysSha256, seal }).where(eq(projects.aspId, aspId));
}

/** Of a project's keys in one order, without the secrets: those are authenticated with their place, and a new database key changes them. */
function sha256OfKeys({
  accessKeys: access,
  secretKeys: secrets,
  cryptoKeys: crypto,
}: StoredProject): string {
  const all = [access, secrets, crypto].map((issued) =>
    issued
      .map(({ id, state, issuedAt }) => [id, state, issuedAt] as const)
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

/** A project's keys of one kind that are not discarded. */
function inUse(table: typeof accessKeys | typeof secretKeys | typeof cryptoKeys, aspId: string) {
  return and(eq(table.aspId, aspId), ne(table.state, 'DISCARDED'));
}

/** Restricts an update to `state` to rows that are not discarded. */
function allowing(state: KeyState, column: typeof projects.state | typeof accessKeys.state) {
  return state === 'DISCARDED' ? undefined : ne(column, 'DISCARDED');
}
