import type { OptionValues } from './options.ts';
import type { CommandContext } from './command.ts';

/** Destroys, or with --dry-run counts, what is to be kept no longer. */
export function purgeEvidence(values: OptionValues) {
  const isDryRun = values['dry-run'] === true;

  return async ({ stores, print, reportProgress }: CommandContext): Promise<void> => {
    const now = new Date();
    if (isDryRun) {
      const count = await stores.retention.countExpired(now);
      return print(`Registrations whose retention is over: ${count}. Nothing was destroyed.`);
    }
    let purged = 0;
    for await (const batch of stores.retention.purge(now)) {
      purged += batch;
      reportProgress(`${purged} registrations purged`);
    }
    print(`Registrations purged: ${purged}.`);
  };
}
