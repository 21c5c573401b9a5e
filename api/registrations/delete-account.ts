import type { Member } from '../../database/members.ts';
import { startFollowUps } from '../../runs/follow-ups.ts';
import { codes } from '../../wire/result-codes.ts';
import { Refusal } from '../http/refusal.ts';
import type { RepeatableRequest } from '../http/repeatable-request.ts';
import type { ApiParts } from '../parts.ts';
import { describeRegistration } from './member-runs.ts';

/**
 * Deletes a member's withdrawal account, in one transaction: it is out of use at once, then a workflow removes it at the
 * payment gateway. The evidence of consent is kept. Repeated within a day it succeeds again. Refuses with `002_013` while
 * another operation of the member is under way, and with `002_916` when there is no account.
 */
export async function deleteAccount(
  { stores, temporal, log }: Pick<ApiParts, 'stores' | 'temporal' | 'log'>,
  member: Member,
  repeatable: RepeatableRequest,
): Promise<void> {
  const latest = await stores.accounts.findLatest(member);
  if (!latest) throw new Refusal(codes.NO_REGISTERED_ACCOUNT);
  const bound = await repeatable.bind(latest.registrationNumber);
  const deletion = await stores.accounts.delete(member, bound);
  if (deletion.state === 'NO_ACCOUNT') throw new Refusal(codes.NO_REGISTERED_ACCOUNT);
  const { registrationNumber } = deletion;
  if (deletion.state === 'BUSY') {
    const payload = registrationNumber ? await describeRegistration(stores, member, registrationNumber) : {};
    throw new Refusal(codes.OPERATION_IN_PROGRESS, { payload: { ...payload } });
  }
  await startFollowUps(temporal, log, [{ kind: 'REMOVAL', registrationNumber: deletion.registrationNumber }]);
}
