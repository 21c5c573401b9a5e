import type { accounts, registrations } from './schema.ts';

// What has happened of a registration or an account, and is never taken back. The sealed row of the member counts it for all
// of them: so none can be deleted, or put back as it once was, unnoticed.

type Registration = typeof registrations.$inferSelect;
type Account = typeof accounts.$inferSelect;

/** Whether the evidence of consent was stored. */
export function hadEvidence({ timeline }: Pick<Registration, 'timeline'>): boolean {
  return timeline.some(({ step, outcome }) => step === 'CONSENT_EVIDENCE_STORED' && outcome === 'STORED');
}

/** How many milestones a registration has passed: its evidence was stored, it has ended. One that is withdrawn never began. */
export function milestonesOf(
  registration: Pick<Registration, 'timeline' | 'endedAt' | 'withdrawnAt'>,
): number {
  const hasEnded = registration.endedAt !== null && registration.withdrawnAt === null;
  return Number(hadEvidence(registration)) + Number(hasEnded);
}

/** How many milestones an account has passed: it was registered, also for auto charge, put out of use, removed. */
export function milestonesOfAccount({
  autoChargeSince,
  retiredAt,
  removedAt,
}: Pick<Account, 'autoChargeSince' | 'retiredAt' | 'removedAt'>): number {
  return 1 + [autoChargeSince, retiredAt, removedAt].filter((time) => time !== null).length;
}
