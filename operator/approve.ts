import { UsageError } from '../command-line/command-line.ts';
import { requestAction, requestLifetime } from './acting.ts';
import type { CommandContext } from './command.ts';
import type { OptionValues } from './options.ts';
import { Refused } from './refused.ts';

/** Carries out what another operator has requested. */
export function approve({ request = '' }: OptionValues) {
  if (!/^[1-9]\d{0,8}$/.test(request)) throw new UsageError('--request must be the number of a request.');

  return async ({ stores, actor, print, carryOut }: CommandContext): Promise<void> => {
    const found = await stores.auditTrail.findAuthentic(Number(request));
    if (found?.entry.action !== requestAction)
      throw new Refused(`The audit trail has no authentic request ${request}. Check --request.`);
    const { entry, approvedBy } = found;
    if (approvedBy !== undefined)
      throw new Refused(`Request ${request} has been carried out already; see entry ${approvedBy}.`);
    if (entry.actor === actor.name)
      throw new Refused(`Request ${request} is your own: another operator must approve it.`);
    if (Date.now() - entry.at.getTime() > requestLifetime)
      throw new Refused(`Request ${request} has expired. Have it requested again.`);
    print(`Request ${request} of ${entry.actor}: ${entry.details}`);
    await carryOut(entry);
  };
}
