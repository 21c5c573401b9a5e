import { MissingKeyError } from '../encryption/key-ring.ts';
import type { CommandContext } from './command.ts';
import { Refused } from './refused.ts';
import { alignColumns } from './table.ts';
import { operatorCommand } from '../runtime/operator-command.ts';

/** Shows how many rows each database key encrypts. */
export function showKeys() {
  return ({ stores, print }: CommandContext): Promise<void> => show(stores, print);
}

/** Re-encrypts everything with the active database key, then shows how many rows each key encrypts. */
export function rewrapKeys() {
  return async ({ act, stores, print, reportProgress }: CommandContext): Promise<void> => {
    await act({}, async () => {});
    let rewrapped = 0;
    const unreadable: string[] = [];
    try {
      for await (const batch of stores.databaseKeys.rewrap()) {
        rewrapped += batch.rewrapped;
        unreadable.push(...batch.unreadable);
        if (batch.rewrapped > 0) reportProgress(`${rewrapped} rows re-encrypted`);
      }
    } catch (error) {
      if (!(error instanceof MissingKeyError)) throw error;
      throw new Refused(`${error.message} Correct DATABASE_KEYS, then repeat the command.`, { cause: error });
    }
    print(`Rows re-encrypted with the active key: ${rewrapped}.`);
    await show(stores, print);
    if (unreadable.length > 0) {
      throw new Refused(
        `These rows cannot be decrypted and are unchanged: ${unreadable.join(', ')}. Restore their rows from a backup, then repeat the command.`,
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
      `DATABASE_KEYS lacks ${missing.join(', ')}: put it back after the active key, or its rows cannot be decrypted.`,
    );
  }
}

function adviceOn(use: { isActive: boolean; isGiven: boolean; isUsed: boolean }): string {
  if (!use.isGiven) return 'is missing in DATABASE_KEYS';
  if (use.isActive) return 'is active';
  return use.isUsed
    ? `is still needed; next: ${operatorCommand('keys rewrap')}`
    : 'can be removed once it is the active key of no process';
}
