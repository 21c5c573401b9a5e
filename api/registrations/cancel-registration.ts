import type { RegistrationRecord } from '../../database/registrations.ts';
import { afterCommit } from '../../runs/after-commit.ts';
import { wakeRun } from '../../runs/registration-run.ts';
import { codes } from '../../wire/result-codes.ts';
import { Refusal } from '../http/refusal.ts';
import type { ApiParts } from '../parts.ts';

/**
 * Cancels a registration. The row's lock decides between a cancellation and a request to the payment gateway, so no run
 * and no worker is needed. Idempotent. Refuses with `002_915` when the payment gateway may have registered the account,
 * or the registration has ended differently.
 */
export async function cancelRegistration(
  parts: Pick<ApiParts, 'stores' | 'temporal' | 'metrics' | 'log'>,
  { registrationNumber, userId }: RegistrationRecord,
): Promise<void> {
  const committed = await parts.stores.ledger.cancel(registrationNumber);
  await afterCommit(parts, committed);
  if (committed.registration?.resultCode !== codes.CANCELLED) throw new Refusal(codes.TOO_LATE_TO_CANCEL);
  // The cancellation is committed: a run that is not woken notices it at its next look.
  await wakeRun(parts.temporal, userId).catch((error: unknown) =>
    parts.log.warn({ err: error, registrationNumber }, 'could not wake the run of a cancelled registration'),
  );
}
