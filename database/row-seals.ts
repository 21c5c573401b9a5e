import { createHmac, randomBytes } from 'node:crypto';
import { eq, getTableColumns } from 'drizzle-orm';
import type { KeyRing } from '../encryption/key-ring.ts';
import type { Queries } from './database.ts';
import {
  accounts,
  bankWindows,
  consentEvidence,
  legalHolds,
  members,
  projects,
  registrations,
  sealKeys,
} from './schema.ts';

/** The tables whose rows are sealed. */
const sealedTables = { accounts, bankWindows, consentEvidence, legalHolds, members, projects, registrations };

/**
 * The columns that a seal does not cover. What a key of its own seals is authenticated with its place. The others order
 * work, and statements change them without reading the row. Every other column is covered, a new one too.
 */
const uncovered = {
  accounts: ['seal'],
  bankWindows: ['seal', 'bankWindowId'],
  consentEvidence: ['seal', 'sealedRecording'],
  legalHolds: ['seal'],
  members: ['seal', 'sealedFacts', 'keyDestroyedAt'],
  projects: ['seal'],
  registrations: ['seal', 'sealedDetails', 'triedSince', 'lookAt', 'replacements'],
} as const satisfies { [Name in TableName]: readonly (keyof Row<Name>)[] };

type TableName = keyof typeof sealedTables;

type Row<Name extends TableName> = (typeof sealedTables)[Name]['$inferSelect'];

const coveredColumns = new Map(
  Object.entries(sealedTables).map(([name, table]) => {
    const left: readonly string[] = uncovered[name as TableName];
    return [name, Object.keys(getTableColumns(table)).filter((column) => !left.includes(column))];
  }),
);

/** What the seal of a row covers. */
export type Covered<Name extends TableName> = Omit<Row<Name>, (typeof uncovered)[Name][number]>;

/** Somebody who does not have the database's keys has changed a row: nothing it says is believed, or done. */
export class AlteredRow extends Error {
  override readonly name = 'AlteredRow';
}

/** Seals rows, and checks their seals. */
export class RowSealer {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** The seal of a row: a MAC over its table and every covered column that is not null. */
  seal<Name extends TableName>(table: Name, row: Covered<Name>): string {
    const mac = createHmac('sha256', this.#key).update(canonicalJson([table, coveredPart(table, row)]));
    return mac.digest().subarray(0, 16).toString('base64url');
  }

  isAuthentic<Name extends TableName>(table: Name, row: Covered<Name> & { readonly seal: string }): boolean {
    return row.seal === this.seal(table, row);
  }

  /** @returns the row @throws {AlteredRow} */
  authentic<Name extends TableName, Given extends Covered<Name> & { readonly seal: string }>(
    table: Name,
    row: Given,
  ): Given {
    if (this.isAuthentic(table, row)) return row;
    throw new AlteredRow(
      `A row of ${table} was changed in the database by somebody else. Find out by whom, restore it from a backup, and see: npm run operator -- evidence verify`,
    );
  }
}

const sealKeyId = 'rows';

/** The place of a key that seals rows. */
export const sealKeyContext = (keyId: string): string => `seal-keys/${keyId}`;

/**
 * The seals of rows: they show that a row is as the service left it. The key is in the database, sealed by a database key,
 * so changing that one re-seals nothing.
 */
export function createRowSeals(queries: Queries, keys: KeyRing) {
  let opened: RowSealer | undefined;

  async function open(through: Pick<Queries, 'select'> = queries): Promise<RowSealer> {
    if (opened) return opened;
    const [row] = await through.select().from(sealKeys).where(eq(sealKeys.sealKeyId, sealKeyId));
    if (!row) throw new Error('There is no key that seals rows: start the API or the worker once.');
    opened = new RowSealer(keys.open(row.databaseKeyId, row.sealedKey, sealKeyContext(sealKeyId)));
    return opened;
  }

  return {
    /** Makes the key, unless there is one. To be called when a process starts. */
    async createKey(): Promise<void> {
      const sealedKey = keys.seal(randomBytes(32), sealKeyContext(sealKeyId));
      await queries
        .insert(sealKeys)
        .values({ sealKeyId, databaseKeyId: keys.activeKeyId, sealedKey })
        .onConflictDoNothing();
    },

    /** Reads the key, once per process. @param through within a transaction: that transaction */
    open,

    /** @returns the rows @throws {AlteredRow} */
    async authentic<Name extends TableName, Given extends Covered<Name> & { readonly seal: string }>(
      table: Name,
      rows: readonly Given[],
    ): Promise<Given[]> {
      const sealer = await open();
      return rows.map((row) => sealer.authentic(table, row));
    },
  };
}

/** The store of {@link createRowSeals}. */
export type RowSeals = ReturnType<typeof createRowSeals>;

function coveredPart<Name extends TableName>(table: Name, row: Covered<Name>): Record<string, unknown> {
  const values = row as Record<string, unknown>;
  return Object.fromEntries(coveredColumns.get(table)!.map((name) => [name, values[name]]));
}

/**
 * JSON with the names of an object in one order: `jsonb` has an order of its own. What is null is left out, so a new
 * nullable column leaves older seals valid.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(
          Object.entries(part)
            .filter(([, member]) => member !== null)
            .toSorted(([one], [other]) => (one < other ? -1 : 1)),
        )
      : part,
  );
}
