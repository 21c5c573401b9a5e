import { activityInfo } from '@temporalio/activity';
import type { Activities } from '../contract/activities.ts';
import { deadline } from './deadline.ts';
import type { Ports } from './ports.ts';

/** The text read out to the member, by version, as the evidence names it. */
export const scriptVersion = 'withdrawal-consent-1';

/** The ARS call to the member. */
export function arsCallActivities({
  stores,
  paymentGateway,
}: Ports): Pick<Activities, 'placeArsCall' | 'inquireArsCall'> {
  return {
    async placeArsCall({ registrationNumber: reference, attempt }) {
      const isRepeat = activityInfo().attempt > 1;
      if (isRepeat) {
        const { state } = await paymentGateway.inquireArsCall({ reference, attempt }, deadline());
        if (state !== 'NOT_FOUND') return;
      }
      const { details, arsCodeId } = await stores.registrations.open(reference);
      if (arsCodeId) await stores.arsCodes.spend(arsCodeId, reference);
      const { mobileNumber: phoneNumber, authNumber: code } = details;
      await paymentGateway.placeArsCall({ reference, attempt, phoneNumber, code, scriptVersion }, deadline());
    },

    async inquireArsCall({ registrationNumber: reference, attempt }) {
      const call = await paymentGateway.inquireArsCall({ reference, attempt }, deadline());
      if (call.state === 'NOT_FOUND' || call.state === 'NO_OUTCOME') return { state: 'UNKNOWN' };
      return call.state === 'ENDED' ? call : { state: 'IN_PROGRESS' };
    },
  };
}
