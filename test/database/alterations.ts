import { getTableColumns, getTableName, is, sql } from 'drizzle-orm';
import type { Column } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import type { Queries } from '../../database/database.ts';
import { verifyEvidence } from '../../database/evidence-verification.ts';
import * as schema from '../../database/schema.ts';
import { createStores } from '../../database/stores.ts';
import type { StoresFixture } from './stores-fixture.ts';

export type Kind = 'changed' | 'emptied' | 'filled' | 'deleted';

type Row = Readonly<Record<string, unknown>>;

/** A change of one column of one row or, without `column`, the deletion of the row. */
export interface Alteration {
  readonly table: string;
  readonly column: string | undefined;
  readonly kind: Kind;
  readonly row: Row;
  /** Where the row is. */
  readonly place: string;
  readonly value?: unknown;
}

/** All tables by their names in the schema. */
export const tables = Object.entries(schema).flatMap(([name, table]) =>
  is(table, PgTable) ? [[name, table] as const] : [],
);

/** Every alteration of any one row or column of the database, read off the schema itself. */
export async function listAlterations({ database }: StoresFixture): Promise<Alteration[]> {
  const alterations: Alteration[] = [];
  for (const [name, table] of tables) {
    const columns = getTableColumns(table);
    const rows: Row[] = await database.queries
      .select({ ...columns, place: sql<string>`${sql.identifier(getTableName(table))}.ctid::text` })
      .from(table);
    for (const row of rows) {
      const place = row['place'] as string;
      alterations.push({ table: name, column: undefined, kind: 'deleted', row, place });
      for (const [column, definition] of Object.entries(columns)) {
        const others = rows.map((other) => other[column]);
        const add = (kind: Kind, value: unknown) =>
          alterations.push({ table: name, column, kind, row, place, value });
        if (row[column] === null) add('filled', otherValue(definition, null, others));
        else add('changed', otherValue(definition, row[column], others));
        if (row[column] !== null && !definition.notNull) add('emptied', null);
      }
    }
  }
  return alterations;
}

/** That of another row, which is authentic there, or else an invented one. */
function otherValue(column: Column, value: unknown, others: readonly unknown[]): unknown {
  const other = others.find((candidate) => candidate !== null && !isSame(candidate, value));
  if (other !== undefined) return other;
  if (value instanceof Date) return new Date(value.getTime() + 3_600_000);
  if (Buffer.isBuffer(value)) return Buffer.concat([value.subarray(1), value.subarray(0, 1)]);
  if (typeof value === 'string') return `${value}0`;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (Array.isArray(value)) return [...(value as unknown[]), 'another'];
  if (value !== null) return { ...(value as object), another: 1 };
  if (column.dataType === 'date') return new Date();
  if (column.dataType === 'number') return 7;
  if (column.dataType === 'json') return { another: 1 };
  return column.getSQLType() === 'bytea' ? Buffer.from('invented') : 'invented';
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** For messages: `table.column changed`, and what of which row. */
export function describeAlteration({ table, column, kind, row, value }: Alteration): string {
  const what = column === undefined ? table : `${table}.${column}`;
  const change = column === undefined ? '' : `: ${JSON.stringify(row[column])} -> ${JSON.stringify(value)}`;
  return `${what} ${kind}${change}`;
}

/**
 * What `evidence verify` finds after an alteration by somebody whom no foreign key holds up, which is then undone.
 * @returns undefined when an index or a check refuses the alteration
 */
export async function alter(
  { database }: Pick<StoresFixture, 'database'>,
  databaseKeys: string,
  alteration: Alteration,
): Promise<readonly string[] | undefined> {
  const undone = new Error('undone');
  let found: readonly string[] = [];
  try {
    await database.queries.transaction(async (transaction) => {
      await transaction.execute(sql`set local session_replication_role = replica`);
      await apply(transaction, alteration);
      found = await listFound(transaction, databaseKeys);
      throw undone;
    });
  } catch (error) {
    if (error !== undone) return undefined;
  }
  return found;
}

async function apply(transaction: Queries, { table: name, column, place, value }: Alteration): Promise<void> {
  const table = tables.find(([candidate]) => candidate === name)![1];
  const here = sql`ctid = ${place}::tid`;
  if (column === undefined) return void (await transaction.delete(table).where(here));
  await transaction
    .update(table)
    .set({ [column]: value })
    .where(here);
}

/** What `evidence verify` finds, in a process that has just started. */
export async function listFound(queries: Queries, databaseKeys: string): Promise<readonly string[]> {
  const stores = createStores(queries, databaseKeys);
  const found: string[] = [];
  try {
    await stores.databaseKeys.requireAll();
    for await (const finding of verifyEvidence(stores)) {
      if (finding.state === 'BROKEN') found.push(`${finding.subject}: ${finding.problem}`);
    }
  } catch (error) {
    found.push(String(error));
  }
  return found;
}
