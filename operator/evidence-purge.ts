import type { OptionValues } from './options.ts';
import type { CommandContext } from './command.ts';

/** Destroys the records whose retention period has ended; with --dry-run only counts them. */
export function purgeEvidence(values: OptionValues) {
  const isDryRun = values['dry-run'] === true;

  return async ({ act, stores, print, reportProgress }: CommandContext): Promise<void> => {
    const now = new Date();
    if (isDryRun) {
      const count = await stores.retention.countExpired(now);
      return print(`Registrations whose retention period has ended: ${count}. Nothing was destroyed.`);
    }
    let purged = 0;
    for (;;) {
      const batch = await act(
        (numbers: readonly string[] | undefined) =>
          (numbers ?? []).map((registrationNumber) => ({ registrationNumber })),
        (acting) => acting.retention.purgeBatch(now),
      );
      if (!batch) break;
      purged += batch.length;
      reportProgress(`${purged} registrations purged`);
    }
    print(`Registrations purged: ${purged}.`);
  };
}
