import type { PostponementReason } from '../contract/activities.ts';
import { isOpen } from '../contract/effects.ts';
import type { Effect } from '../contract/effects.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import type { RegistrationRecord } from '../database/registrations.ts';
import { resultCodes } from '../wire/result-codes.ts';
import { describeTime } from './table.ts';

/** What an open registration waits for, and how it goes on. Times in Unix ms. */
export interface Outlook {
  readonly waitsFor: string;
  /** Until when it waits for that; undefined: it is tried all the time. */
  readonly until?: number | undefined;
  readonly next: string;
  /** What an operator can do, as a command with its effect; undefined: nothing is needed. */
  readonly remedy?: readonly [command: string, effect: string] | undefined;
}

const closures: Record<PostponementReason, string> = {
  BANK_MAINTENANCE: 'the end of the bank’s maintenance',
  BANK_UNAVAILABLE: 'the bank, which the payment gateway does not reach',
  PAYMENT_GATEWAY_UNAVAILABLE: 'the payment gateway, which does not answer',
  OUTSIDE_CALLING_HOURS: 'the hours in which members may be called',
};

const isClosure = (reason: string): reason is PostponementReason => Object.hasOwn(closures, reason);

/**
 * Derives from the rows of an open registration what it waits for.
 * @param bankWindow the ID of the maintenance window that closes its bank now
 * @param now in Unix ms
 */
export function outlookOf(
  record: RegistrationRecord,
  effects: readonly Effect[],
  policy: RegistrationPolicy,
  bankWindow: number | undefined,
  now: number,
): Outlook {
  const latest = record.timeline.at(-1);
  const until = latest?.until === undefined ? undefined : Date.parse(latest.until);
  if (latest?.step === 'POSTPONED' && isClosure(latest.outcome) && record.step !== 'REVIEW')
    return postponed(record, policy, latest.outcome, until, bankWindow);
  const call = effects.findLast(({ kind }) => kind === 'ARS_CALL');
  const attempts = effects.filter(({ kind }) => kind === 'REGISTRATION');
  const failsAt = (giveUpAfter: number) =>
    `if it does not succeed by ${time(record.triedSince.getTime() + giveUpAfter)}, the registration fails`;

  switch (record.step) {
    case 'ACCOUNT_HOLDER_CHECK':
      return {
        waitsFor: 'the bank’s answer to the real-name check',
        next: `the member is called; ${failsAt(policy.accountHolderCheck.giveUpAfter)}`,
      };
    case 'ARS_CALL':
      return awaitingCall(record, call, policy, now);
    case 'CONSENT_EVIDENCE':
      return {
        waitsFor: `the recording of call ${call?.attempt ?? '?'}, ${call?.callId ?? 'whose ID is unknown'}`,
        next: `the account is registered at the payment gateway; ${failsAt(policy.consentEvidence.giveUpAfter)}`,
      };
    case 'PAYMENT_GATEWAY_REGISTRATION':
      return awaitingVerdict(attempts, policy);
    case 'REVIEW':
      return inReview(record, attempts);
    case 'DONE':
  }
  return { waitsFor: 'nothing', next: 'nothing' };
}

function postponed(
  { createdAt }: RegistrationRecord,
  { closure }: RegistrationPolicy,
  reason: PostponementReason,
  until: number | undefined,
  bankWindow: number | undefined,
): Outlook {
  const isLimited = reason !== 'OUTSIDE_CALLING_HOURS';
  const limit = `if that lasts until ${time(createdAt.getTime() + closure.giveUpAfter)}, the registration fails`;
  return {
    waitsFor: closures[reason],
    until,
    next: `the step is tried again${isLimited ? `; ${limit}` : ''}`,
    remedy:
      bankWindow === undefined
        ? undefined
        : [
            `bank-window remove --id ${bankWindow}`,
            'if the bank is open; what waits continues within a minute',
          ],
  };
}

function awaitingCall(
  { triedSince }: RegistrationRecord,
  call: Effect | undefined,
  { arsCall, effects }: RegistrationPolicy,
  now: number,
): Outlook {
  if (call && isOpen(call)) {
    const since = Math.max(call.sentAt, call.sendBy - effects.sendLimit);
    return {
      waitsFor:
        call.state === 'ACCEPTED'
          ? `the outcome of call ${call.attempt}${call.callId ? `, ${call.callId}` : ''}, by callback`
          : `the payment gateway’s word on whether call ${call.attempt} was placed`,
      until: call.askAt,
      next: `the payment gateway is asked again; at ${time(since + arsCall.callLimit)} the call counts as failed`,
    };
  }
  const isLater = triedSince.getTime() > now;
  return {
    waitsFor: isLater ? 'the time of the next call' : 'the payment gateway to take a call',
    until: isLater ? triedSince.getTime() : undefined,
    next: `the member is called${call ? ' again' : ''}; there are ${arsCall.maxCalls} calls at most`,
  };
}

function awaitingVerdict(attempts: readonly Effect[], policy: RegistrationPolicy): Outlook {
  const { reviewAfter } = policy.paymentGatewayRegistration;
  const [first] = attempts;
  const latest = attempts.at(-1);
  const review = first ? `; at ${time(first.sentAt + reviewAfter)} it goes to REVIEW` : '';
  if (!latest || !isOpen(latest))
    return {
      waitsFor: 'the payment gateway to take the registration',
      next: `the account is in use${review}`,
    };
  return {
    waitsFor:
      latest.state === 'ACCEPTED'
        ? `the payment gateway’s decision on attempt ${latest.attempt}, by callback`
        : `the payment gateway’s word on whether it got attempt ${latest.attempt}`,
    until: latest.askAt,
    next: `the payment gateway is asked again${review}`,
  };
}

function inReview({ registrationNumber }: RegistrationRecord, attempts: readonly Effect[]): Outlook {
  return {
    waitsFor:
      'an operator’s verdict, or the payment gateway’s: nobody knows whether the account is registered',
    until: attempts.at(-1)?.askAt,
    next: 'the payment gateway is asked again; once it knows, the registration ends by itself',
    remedy: [
      `resolve --number ${registrationNumber} --verdict REGISTERED|NOT_REGISTERED --reason <text>`,
      'asks the payment gateway first',
    ],
  };
}

/** How a registration ended. */
export function endOf({ status, resultCode, endedAt }: RegistrationRecord): string {
  const text = resultCode ? `${resultCode} ${resultCodes[resultCode].text}` : 'withdrawn';
  return `${status} since ${endedAt ? describeTime(endedAt) : '?'}: ${text}`;
}

const time = (at: number): string => describeTime(new Date(at));
