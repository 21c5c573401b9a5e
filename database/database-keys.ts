import { and, asc, count, gt, ne, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { AnyPgColumn, PgTable } from 'drizzle-orm/pg-core';
import { ConfigurationError } from '../runtime/config.ts';
import { MissingKeyError } from '../encryption/key-ring.ts';
import type { KeyRing } from '../encryption/key-ring.ts';
import type { Queries } from './database.ts';
import { dataKeyContext } from './member-cipher.ts';
import { cryptoContext, secretContext } from './projects.ts';
import { auditTrailKeyContext } from './audit-trail.ts';
import { sealKeyContext } from './row-seals.ts';
import { auditTrailKeys, cryptoKeys, memberKeys, sealKeys, secretKeys } from './schema.ts';
import { operatorCommand } from '../runtime/operator-command.ts';

/** What a database key encrypts: the number of rows of each kind. */
export interface DatabaseKeyUse {
  readonly databaseKeyId: string;
  /** Whether it is the active one, which encrypts. */
  readonly isActive: boolean;
  /** Whether it is among the keys given. */
  readonly isGiven: boolean;
  readonly rows: number;
}

/** A batch that was re-encrypted. */
export interface RewrappedBatch {
  readonly rewrapped: number;
  /** The locations of values that could not be decrypted and stayed unchanged. */
  readonly unreadable: readonly string[];
}

/** How many rows are re-encrypted in one transaction. */
const rowsPerBatch = 200;

/** A column that a database key seals directly, of rows with an ID and perhaps an owner. */
interface SealedColumn {
  readonly table: PgTable;
  readonly id: AnyPgColumn<{ data: string; notNull: true }>;
  readonly aspId: AnyPgColumn<{ data: string; notNull: true }> | SQL<string>;
  readonly keyId: AnyPgColumn<{ data: string; notNull: true }>;
  readonly sealed: AnyPgColumn<{ data: Buffer; notNull: true }>;
  readonly contextOf: (aspId: string, id: string) => string;
}

/** Everything that database keys seal. Everything else is encrypted with members' keys and stays unchanged. */
const sealedColumns: readonly SealedColumn[] = [
  {
    table: memberKeys,
    id: memberKeys.userId,
    aspId: memberKeys.aspId,
    keyId: memberKeys.databaseKeyId,
    sealed: memberKeys.sealedDataKey,
    contextOf: (aspId, userId) => dataKeyContext({ aspId, userId }),
  },
  {
    table: secretKeys,
    id: secretKeys.secretKeyId,
    aspId: secretKeys.aspId,
    keyId: secretKeys.databaseKeyId,
    sealed: secretKeys.sealedSecret,
    contextOf: secretContext,
  },
  {
    table: cryptoKeys,
    id: cryptoKeys.cryptoKeyId,
    aspId: cryptoKeys.aspId,
    keyId: cryptoKeys.databaseKeyId,
    sealed: cryptoKeys.sealedKeyPair,
    contextOf: cryptoContext,
  },
  {
    table: auditTrailKeys,
    id: auditTrailKeys.auditTrailKeyId,
    aspId: sql<string>`''`,
    keyId: auditTrailKeys.databaseKeyId,
    sealed: auditTrailKeys.sealedKey,
    contextOf: (_, id) => auditTrailKeyContext(id),
  },
  {
    table: sealKeys,
    id: sealKeys.sealKeyId,
    aspId: sql<string>`''`,
    keyId: sealKeys.databaseKeyId,
    sealed: sealKeys.sealedKey,
    contextOf: (_, id) => sealKeyContext(id),
  },
];

/** The keys that seal in the database, and their rotation. */
export function createDatabaseKeys(queries: Queries, keys: KeyRing) {
  /** The number of rows that each key encrypts: every configured key, and every other one still in use. */
  async function listUse(): Promise<DatabaseKeyUse[]> {
    const rowsOf = new Map(keys.keyIds.map((keyId) => [keyId, 0]));
    for (const { table, keyId } of sealedColumns) {
      const found = await queries.select({ databaseKeyId: keyId, rows: count() }).from(table).groupBy(keyId);
      for (const { databaseKeyId, rows } of found) {
        rowsOf.set(databaseKeyId, (rowsOf.get(databaseKeyId) ?? 0) + rows);
      }
    }
    return [...rowsOf].map(([databaseKeyId, rows]) => ({
      databaseKeyId,
      isActive: databaseKeyId === keys.activeKeyId,
      isGiven: keys.keyIds.includes(databaseKeyId),
      rows,
    }));
  }

  return {
    listUse,

    /** Throws {@link ConfigurationError} when something in the database is sealed by a key that was not given. */
    async requireAll(): Promise<void> {
      const missing = (await listUse()).filter(({ isGiven }) => !isGiven);
      if (missing.length === 0) return;
      const named = missing.map(({ databaseKeyId, rows }) => `${databaseKeyId} (seals ${rows} rows)`);
      throw new ConfigurationError(
        `DATABASE_KEYS lacks keys that are still needed: ${named.join(', ')}. Add them again after the active one. Remove a key only when this command allows it: ${operatorCommand('keys status')}`,
      );
    },

    /**
     * Re-encrypts with the active key everything that other keys sealed, in batches, while the service runs. It may be
     * interrupted at any point and repeated.
     * @throws {MissingKeyError}
     */
    async *rewrap(): AsyncGenerator<RewrappedBatch> {
      for (const column of sealedColumns) {
        for (let last: string | undefined = ''; last !== undefined;) {
          const batch: RewrappedBatch & { last: string | undefined } = await rewrapBatch(column, last);
          yield batch;
          last = batch.last;
        }
      }
    },
  };

  async function rewrapBatch({ table, id, aspId, keyId, sealed, contextOf }: SealedColumn, after: string) {
    return await queries.transaction(async (transaction) => {
      const rows = await transaction
        .select({ id, aspId, keyId, sealed })
        .from(table)
        .where(and(gt(id, after), ne(keyId, keys.activeKeyId)))
        .orderBy(asc(id))
        .limit(rowsPerBatch)
        // The lock prevents an erased key from being restored. It does not block registrations of the member.
        .for('no key update');
      const unreadable: string[] = [];
      for (const row of rows) {
        const context = contextOf(row.aspId, row.id);
        const resealed = reseal(row.keyId, row.sealed, context);
        if (!resealed) {
          unreadable.push(context);
          continue;
        }
        await transaction.execute(sql`
          update ${table}
          set ${sql.identifier(keyId.name)} = ${keys.activeKeyId},
            ${sql.identifier(sealed.name)} = ${sql.param(resealed, sealed)}
          where ${id} = ${row.id}`);
      }
      return { rewrapped: rows.length - unreadable.length, unreadable, last: rows.at(-1)?.id };
    });
  }

  /** Undefined when it was altered. @throws {MissingKeyError} */
  function reseal(keyId: string, value: Buffer, context: string): Buffer | undefined {
    try {
      return keys.seal(keys.open(keyId, value, context), context);
    } catch (error) {
      if (error instanceof MissingKeyError) throw error;
      return undefined;
    }
  }
}
