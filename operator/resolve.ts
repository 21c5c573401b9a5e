import type { Committed } from '../database/locked-registration.ts';
import type { PaymentGateway, RegistrationInquiryAnswer } from '../payment-gateway/payment-gateway.ts';
import { PaymentGatewayUnavailable } from '../payment-gateway/payment-gateway.ts';
import { afterCommit } from '../runs/after-commit.ts';
import { wakeRun } from '../runs/registration-run.ts';
import type { ReviewVerdict } from '../contract/registration.ts';
import type { CommandContext } from './command.ts';
import { readChoice, readRegistrationNumber } from './options.ts';
import type { OptionValues } from './options.ts';
import { Refused } from './refused.ts';

type Answer = RegistrationInquiryAnswer['state'] | 'NOT_ANSWERED';

/** How long the payment gateway may take to answer, in ms. */
const inquiryTimeout = 10_000;

/** What the payment gateway may say for each verdict. */
const agreeing: Record<ReviewVerdict, readonly Answer[]> = {
  REGISTERED: ['REGISTERED'],
  NOT_REGISTERED: ['NOT_FOUND', 'REFUSED', 'REMOVED'],
};

/** Decides the outcome of a registration in REVIEW, unless the payment gateway says otherwise. */
export function resolve(values: OptionValues) {
  const registrationNumber = readRegistrationNumber(values);
  const { reason = '' } = values;
  const verdict = readChoice(values, 'verdict', ['REGISTERED', 'NOT_REGISTERED']);

  return async (context: CommandContext): Promise<void> => {
    const { act, actor, requireSecondPerson, stores, openPaymentGateway, print } = context;
    const paymentGateway = openPaymentGateway();
    const registration = await stores.registrations.findAny(registrationNumber);
    if (registration?.step !== 'REVIEW') throw notInReview(registrationNumber, registration?.step);

    const paymentGatewaySaid = await inquire(paymentGateway, registrationNumber);
    print(`The payment gateway says of ${registrationNumber}: ${paymentGatewaySaid}.`);
    const agrees = agreeing[verdict].includes(paymentGatewaySaid);
    if (!agrees && !values['despite-payment-gateway']) {
      throw new Refused(
        `Nothing was decided: ${verdict} contradicts the payment gateway, or it does not know yet. Wait, or ask its operators; to decide all the same, add --despite-payment-gateway.`,
      );
    }
    const about = { registrationNumber, details: { verdict, paymentGatewaySaid } };
    if (!agrees) await requireSecondPerson('verdict', about);
    const committed = await act(about, async (acting) => {
      const decision = { verdict, operator: actor.name, reason, paymentGatewaySaid };
      const resolved = await acting.ledger.resolve(registrationNumber, decision);
      if (!resolved.isResolved) throw notInReview(registrationNumber, resolved.registration?.step);
      return resolved;
    });
    await follow(context, committed, registration.userId);
    print(`Registration ${registrationNumber} is resolved as ${verdict}.`);
  };
}

/** The decision is committed: without Temporal, the run notices it later and the sweep starts what follows. */
async function follow(context: CommandContext, committed: Committed, userId: string): Promise<void> {
  await afterCommit(context, committed);
  await wakeRun(context.temporal, userId).catch(() =>
    context.reportProgress('Temporal does not answer; the run will notice the decision at its next look.'),
  );
}

async function inquire(paymentGateway: PaymentGateway, registrationNumber: string): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(inquiryTimeout);
    return (await paymentGateway.inquireRegistration(registrationNumber, signal)).state;
  } catch (error) {
    if (error instanceof PaymentGatewayUnavailable) return 'NOT_ANSWERED';
    throw error;
  }
}

function notInReview(registrationNumber: string, step: string | undefined): Refused {
  const list = 'See: npm run operator -- reviews';
  if (step === undefined) return new Refused(`There is no registration ${registrationNumber}. ${list}`);
  if (step === 'DONE')
    return new Refused(`Registration ${registrationNumber} has ended: nothing is left to decide.`);
  return new Refused(`Registration ${registrationNumber} is not in REVIEW but in ${step}. ${list}`);
}
