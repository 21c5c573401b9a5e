import { MissingKeyError } from '../encryption/key-ring.ts';
import type { CommandContext } from './command.ts';
import { Refused } from './refused.ts';
import { alignColumns } from './table.ts';

/** Shows what each database key seals. */
export function showKeys() {
  return ({ stores, print }: CommandContext): Promise<void> => show(stores, print);
}

/** Seals everything by the active database key, and shows what each key seals then. */
export function rewrapKeys() {
  return async ({ stores, print, reportProgress }: CommandContext): Promise<void> => {
    let rewrapped = 0;
    const unreadable: string[] = [];
    try {
      for await (const batch of stores.databaseKeys.rewrap()) {
        rewrapped += batch.rewrapped;
        unreadable.push(...batch.unreadable);
        if (batch.rewrapped > 0) reportProgress(`${rewrapped} rows sealed anew`);
      }
    } catch (error) {
      if (!(error instanceof MissingKeyError)) throw error;
      throw new Refused(`${error.message} Correct DATABASE_KEYS, then repeat the command.`, { cause: error });
    }
    print(`Rows sealed anew by the active key: ${rewrapped}.`);
    await show(stores, print);
    if (unreadable.length > 0) {
      throw new Refused(
        `These do not open and stayed as they were: ${unreadable.join(', ')}. Restore their rows from a backup, then repeat the command.`,
      );
    }
  };
}

async function show(
  { databaseKeys }: CommandContext['stores'],
  print: CommandContext['print'],
): Promise<void> {
  const uses = await databaseKeys.listUse();
  const rows = uses.map(({ databaseKeyId, isActive, isGiven, rows: count }) => [
    databaseKeyId,
    String(count),
    adviceOn({ isActive, isGiven, isUsed: count > 0 }),
  ]);
  for (const line of alignColumns([['key', 'rows', ''], ...rows])) print(line);
  const missing = uses.filter(({ isGiven }) => !isGiven).map(({ databaseKeyId }) => databaseKeyId);
  if (missing.length > 0) {
    throw new Refused(
      `DATABASE_KEYS lacks ${missing.join(', ')}: put it back behind the active key, or what it sealed cannot be read.`,
    );
  }
}

function adviceOn(use: { isActive: boolean; isGiven: boolean; isUsed: boolean }): string {
  if (!use.isGiven) return 'is missing in DATABASE_KEYS';
  if (use.isActive) return 'is active';
  return use.isUsed
    ? 'is still needed; next: npm run operator -- keys rewrap'
    : 'may be dropped once no process has it in front';
}
