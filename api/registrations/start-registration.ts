import type { z } from 'zod';
import { workflowTypes } from '../../contract/registration.ts';
import type { RegistrationInput } from '../../contract/registration.ts';
import { searchAttributes } from '../../contract/search-attributes.ts';
import { createAuthNumber } from '../../database/ars-codes.ts';
import type { Member } from '../../database/members.ts';
import type { registerAccount } from '../../wire/bank-account-operations.ts';
import { banks } from '../../wire/bank-codes.ts';
import { maskAccountNumber } from '../../wire/masking.ts';
import { codes } from '../../wire/result-codes.ts';
import { Refusal } from '../http/refusal.ts';
import type { ApiParts } from '../parts.ts';
import type { LatestRegistrations, StartOutcome, StartedRegistration } from './latest-registrations.ts';
import { requireMember, startMemberRun } from './member-runs.ts';
import { createRegistrationNumber } from './registration-number.ts';

type Parts = Pick<ApiParts, 'stores' | 'temporal' | 'policy' | 'metrics'> & {
  readonly latestRegistrations: LatestRegistrations;
};
type RegistrationRequest = z.output<typeof registerAccount.request>;

/**
 * Starts a registration. Refuses with `001_006` when the service provider has no such member, and with `002_013` when
 * another operation of the member is running, or was running when the request arrived.
 * @param arrival when the request arrived, as a `performance.now()` time
 * @returns the registration number, and the ARS code if it was issued for this registration
 */
export async function startRegistration(
  parts: Parts,
  aspId: string,
  request: RegistrationRequest,
  arrival: number,
): Promise<StartedRegistration> {
  const memberKey = `${aspId}/${request.userId}`;
  const outcome = await parts.latestRegistrations.startUnlessDuplicate(memberKey, arrival, async () => {
    const member = await requireMember(parts.stores, aspId, request.userId);
    return await startUnlessRunning(parts, member, request);
  });
  if (outcome.isNew) return outcome.registration;
  throw new Refusal(codes.OPERATION_IN_PROGRESS, { payload: { ...outcome.registration } });
}

/**
 * Persists the registration, then starts its run. In this order, because every number that a client gets has to be
 * known to the status inquiry. Temporal refuses a second run for the member's workflow ID; the row is then removed.
 */
async function startUnlessRunning(
  parts: Parts,
  member: Member,
  request: RegistrationRequest,
): Promise<StartOutcome> {
  const { stores, metrics } = parts;
  const issued = await stores.arsCodes.findLive(member);
  const authNumber = issued?.authNumber ?? createAuthNumber();
  const registrationNumber = createRegistrationNumber(new Date());
  const isAdded = await stores.registrations.add(member, {
    registrationNumber,
    bankCode: request.bankCode,
    arsCodeId: issued?.arsCodeId ?? null,
    details: detailsOf(request, member, authNumber),
  });
  // The member has been erased in the meantime.
  if (!isAdded) throw new Refusal(codes.MEMBER_NOT_FOUND);
  const { runningOperation } = await startRun(parts, member, registrationNumber, request);
  if (runningOperation) {
    await stores.registrations.remove(registrationNumber);
    return { isNew: false, registration: runningOperation };
  }
  metrics.registrationsStarted.inc();
  const registration = { bankAccRegNo: registrationNumber, ...(issued ? {} : { authNumber }) };
  return { isNew: true, registration };
}

function detailsOf(request: RegistrationRequest, member: Member, authNumber: string) {
  return {
    accountNumber: request.bankAccount,
    bankName: request.bankName,
    holderName: request.userName,
    birthDate: request.birthDate,
    mobileNumber: request.mobileNumber ?? member.facts.mobileNumber,
    authNumber,
  };
}

function startRun(
  { stores, temporal, policy }: Parts,
  member: Member,
  registrationNumber: string,
  { bankCode, bankAccount }: RegistrationRequest,
) {
  const input: RegistrationInput = { registrationNumber, bankCode, policy };
  return startMemberRun({ stores, temporal }, member, workflowTypes.register, {
    args: [input],
    staticSummary: `Register ${banks[bankCode]} ${maskAccountNumber(bankAccount)}`,
    typedSearchAttributes: [
      { key: searchAttributes.registrationNumber, value: registrationNumber },
      { key: searchAttributes.status, value: 'ARS_AUTH_IN_PROGRESS' },
      { key: searchAttributes.step, value: 'ACCOUNT_HOLDER_CHECK' },
      { key: searchAttributes.bankCode, value: bankCode },
    ],
  });
}
