import type { Activities } from '../contract/activities.ts';
import { resultCodeOfRefusal } from '../contract/refusal-reasons.ts';
import { isMember } from '../database/members.ts';
import { unlessBankClosed } from './bank-closure.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { codes } from '../wire/result-codes.ts';

/** The real-name check. */
export function accountHolderActivities({
  stores,
  paymentGateway,
}: ActivityDependencies): Pick<Activities, 'checkAccountHolder'> {
  return {
    async checkAccountHolder({ registrationNumber }) {
      const { details, member, comparesMember, bankCode } =
        await stores.registrations.open(registrationNumber);
      const { accountNumber, holderName, birthDate } = details;
      if (comparesMember && !isMember(member, holderName, birthDate)) {
        return { matched: false, resultCode: codes.HOLDER_IS_NOT_MEMBER };
      }
      const account = { bankCode, accountNumber, holderName, birthDate };
      const answer = await unlessBankClosed({ stores }, bankCode, () =>
        paymentGateway.inquireAccountHolder(account, deadline()),
      );
      if (typeof answer === 'object') return answer;
      if (answer === 'MATCHED') return { matched: true };
      return { matched: false, resultCode: resultCodeOfRefusal[answer] };
    },
  };
}
