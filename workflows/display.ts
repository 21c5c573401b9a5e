import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Wait } from '../contract/activities.ts';
import type { RegistrationState, RegistrationStep } from '../contract/registration.ts';
import { searchAttributes } from '../contract/search-attributes.ts';
import { timelineLabels } from '../wire/timeline.ts';

const titles: Record<RegistrationStep, string> = {
  ACCOUNT_HOLDER_CHECK: 'Real-name check',
  ARS_CALL: 'ARS call',
  CONSENT_EVIDENCE: 'Evidence of consent',
  PAYMENT_GATEWAY_REGISTRATION: 'Registration at the payment gateway',
  REVIEW: 'Review',
  DONE: 'Done',
};

const reasons = {
  BANK_MAINTENANCE: 'the bank’s maintenance to end',
  BANK_UNAVAILABLE: 'an outage of the bank to end',
  PAYMENT_GATEWAY_UNAVAILABLE: 'an outage of the payment gateway to end',
  OUTSIDE_CALLING_HOURS: 'the hours in which members may be called',
  CALL_AGAIN: 'the time of the next call',
};

/**
 * Shows operators a registration: in the current details, of which the Web UI shows about two lines before it cuts, and
 * in search attributes. Those cost a history event, so they change only for a wait, REVIEW and the end.
 */
export function showRegistration(registration: RegistrationState | null, wait: Wait | undefined): void {
  setCurrentDetails(describe(registration, wait));
  if (!registration) return;
  const { step, status, resultCode } = registration;
  const isWorthAnEvent = step === 'DONE' || step === 'REVIEW' || (wait && wait.for !== 'CALLBACK');
  if (!isWorthAnEvent) return;
  upsertSearchAttributes([
    { key: searchAttributes.step, value: step },
    { key: searchAttributes.status, value: status },
    ...(resultCode ? [{ key: searchAttributes.resultCode, value: resultCode }] : []),
  ]);
}

function describe(registration: RegistrationState | null, wait: Wait | undefined): string {
  if (!registration) return '**Withdrawn**: the number was never handed out';
  const { registrationNumber, step, status, timeline } = registration;
  const last = timeline.at(-1);
  const outcome = last ? `${timelineLabels[last.step].en} (${last.attempt}): ${last.outcome}` : 'none';
  if (step === 'REVIEW') {
    return [
      `**Review**: decide with \`operator resolve --number ${registrationNumber}\``,
      `- Nobody knows whether the account is registered; the payment gateway is asked again`,
      `- Last outcome: ${outcome}`,
    ].join('\n');
  }
  return [
    `**${titles[step]}** (${status})${wait ? ` waits for ${waitsFor(wait)}` : ''}`,
    `- Last outcome: ${outcome}`,
  ].join('\n');
}

function waitsFor(wait: Wait): string {
  return wait.for === 'CALLBACK'
    ? 'the payment gateway’s callback or the next inquiry'
    : reasons[wait.reason];
}
