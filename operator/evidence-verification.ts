import { verifyEvidence } from '../database/evidence-verification.ts';
import type { EvidenceFinding } from '../database/evidence-verification.ts';
import { readRegistrationNumber } from './options.ts';
import type { OptionValues } from './options.ts';
import type { CommandContext } from './command.ts';
import { Refused } from './refused.ts';

/** Progress is reported after this many registrations. */
const progressEvery = 1_000;

/** Verifies all evidence, or that of one registration; refuses when any is broken. */
export function verifyAllEvidence(values: OptionValues) {
  const only = values.number === undefined ? undefined : readRegistrationNumber(values);

  return async ({ stores, print, reportProgress }: CommandContext): Promise<void> => {
    await stores.databaseKeys.requireAll();
    const counts: Record<EvidenceFinding['state'], number> = {
      VERIFIED: 0,
      ERASED: 0,
      PURGED: 0,
      BROKEN: 0,
    };
    let checked = 0;
    for await (const finding of verifyEvidence(stores, only)) {
      counts[finding.state]++;
      if (finding.state === 'BROKEN') print(`${finding.subject}  ${finding.problem}`);
      if (++checked % progressEvery === 0) reportProgress(`${checked} checked, ${counts.BROKEN} broken`);
    }
    if (only !== undefined && checked === 0) {
      throw new Refused(
        `Registration ${only} has no evidence and needs none, or does not exist. Check --number.`,
      );
    }
    print(
      `evidence: ${counts.VERIFIED} verified, ${counts.BROKEN} broken, ` +
        `${counts.ERASED} of erased members, ${counts.PURGED} purged after their retention`,
    );
    if (counts.BROKEN > 0) {
      throw new Refused(
        `${counts.BROKEN} findings. Do not change the database. Restore these rows from a backup made before they changed, then repeat the command.`,
      );
    }
  };
}
