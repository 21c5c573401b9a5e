import type { Activities } from '../contract/activities.ts';
import { resultCodeOfRefusal } from '../contract/refusal-reasons.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import { codes } from '../wire/result-codes.ts';
import { isPostponed, unlessBankClosed } from './bank-closure.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createSteps } from './registration-step.ts';
import type { LoadedRegistration } from './registration-step.ts';

/** The real-name check. */
export function accountHolderActivities(
  dependencies: ActivityDependencies,
): Pick<Activities, 'checkAccountHolder'> {
  const { stores, paymentGateway } = dependencies;
  const step = createSteps(dependencies);
  const limit = {
    giveUpAfter: ({ accountHolderCheck }: LoadedRegistration['policy']) => accountHolderCheck.giveUpAfter,
    resultCode: codes.REAL_NAME_CHECK_UNAVAILABLE,
  };

  return {
    checkAccountHolder: step(['ACCOUNT_HOLDER_CHECK'], limit, async (registration) => {
      const { registrationNumber, record, policy } = registration;
      if (!record.begunAt && !(await begin(record))) return withdrawn;
      const answer = await check(registration);
      if (isPostponed(answer)) return await stores.ledger.postpone(registrationNumber, answer, policy);
      return await stores.ledger.recordHolderCheck(registrationNumber, answer.resultCode);
    }),
  };

  /** The run may be faster than the API that started it. @returns false when the number is withdrawn */
  async function begin(record: LoadedRegistration['record']): Promise<boolean> {
    const begun = await stores.registrations.begin(record.registrationNumber, record);
    if (begun === 'BEGUN') return true;
    await stores.registrations.withdraw(record.registrationNumber);
    return false;
  }

  /** @returns the code with which the registration fails, if the account is not the named person's */
  async function check({ record, open }: LoadedRegistration) {
    const { accountNumber, holderName, birthDate } = open().details;
    const account = { bankCode: record.bankCode, accountNumber, holderName, birthDate };
    const answer = await unlessBankClosed({ stores }, record.bankCode, async () => ({
      result: await paymentGateway.inquireAccountHolder(account, deadline()),
    }));
    if (isPostponed(answer)) return answer;
    return answer.result === 'MATCHED' ? refused(undefined) : refused(resultCodeOfRefusal[answer.result]);
  }
}

const withdrawn = { registration: null, ended: false, followUps: [] };

function refused(resultCode: ResultCode | undefined) {
  return { resultCode };
}
