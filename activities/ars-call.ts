import { activityInfo } from '@temporalio/activity';
import type { Activities, ArsCallOrder, ArsCallPlacement, Postponement } from '../contract/activities.ts';
import { outsideCallingHours } from '../contract/calling-hours.ts';
import { unlessClosed } from './bank-closure.ts';
import { deadline } from './deadline.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** The text read out to the member, by version, as the evidence names it. */
export const scriptVersion = 'withdrawal-consent-1';

/** The ARS call to the member. */
export function arsCallActivities({
  stores,
  paymentGateway,
}: ActivityDependencies): Pick<Activities, 'placeArsCall' | 'inquireArsCall'> {
  return {
    async placeArsCall(order) {
      return await unlessClosed(() => place(order, order.isRepeat || activityInfo().attempt > 1));
    },

    async inquireArsCall({ registrationNumber: reference, attempt }) {
      const call = await paymentGateway.inquireArsCall({ reference, attempt }, deadline());
      if (call.state === 'NOT_FOUND' || call.state === 'NO_OUTCOME') return { state: 'UNKNOWN' };
      return call.state === 'ENDED' ? call : { state: 'IN_PROGRESS' };
    },
  };

  async function place(order: ArsCallOrder, isRepeat: boolean): Promise<ArsCallPlacement | Postponement> {
    const { registrationNumber: reference, attempt, callingHours, dailyLimits } = order;
    if (isRepeat) {
      const { state } = await paymentGateway.inquireArsCall({ reference, attempt }, deadline());
      if (state !== 'NOT_FOUND') return { state: 'PLACED' };
    }
    // The workflow has checked the hours too, but retries can continue after they end.
    const postponed = outsideCallingHours(callingHours, Date.now());
    if (postponed) return postponed;
    const { details, arsCodeId, userId } = await stores.registrations.open(reference);
    const { mobileNumber: phoneNumber, authNumber: code, accountNumber } = details;
    const limit = await stores.arsCalls.count(
      { registrationNumber: reference, attempt, userId, phoneNumber, accountNumber },
      dailyLimits,
    );
    if (limit) return { state: 'LIMIT_REACHED', limit };
    if (arsCodeId) await stores.arsCodes.spend(arsCodeId, reference);
    await paymentGateway.placeArsCall({ reference, attempt, phoneNumber, code, scriptVersion }, deadline());
    return { state: 'PLACED' };
  }
}
