import type { PaymentGateway } from './payment-gateway.ts';

/** A request that is about to be sent to the payment gateway. */
export interface PaymentGatewayRequest {
  readonly operation: Exclude<keyof PaymentGateway, 'receiveCallback'>;
  /** Three digits; only for requests that the payment gateway passes on to the bank while we wait. */
  readonly bankCode?: string;
}

/**
 * Runs around each request. It calls `send` at most once and returns what `send` returned, or throws.
 *
 * @example
 * const logged: PaymentGatewayInterceptor = async ({ operation }, send) => {
 *   log.info({ operation }, 'request');
 *   return await send();
 * };
 */
export type PaymentGatewayInterceptor = <Answer>(
  request: PaymentGatewayRequest,
  send: () => Promise<Answer>,
) => Promise<Answer>;

/** The payment gateway with `intercept` around each of its requests. The one way to decorate the port in what ships. */
export function interceptPaymentGateway(
  paymentGateway: PaymentGateway,
  intercept: PaymentGatewayInterceptor,
): PaymentGateway {
  return {
    inquireAccountHolder: (account, signal) =>
      intercept({ operation: 'inquireAccountHolder', bankCode: account.bankCode }, () =>
        paymentGateway.inquireAccountHolder(account, signal),
      ),
    placeArsCall: (request, signal) =>
      intercept({ operation: 'placeArsCall' }, () => paymentGateway.placeArsCall(request, signal)),
    inquireArsCall: (call, signal) =>
      intercept({ operation: 'inquireArsCall' }, () => paymentGateway.inquireArsCall(call, signal)),
    fetchRecording: (callId, signal) =>
      intercept({ operation: 'fetchRecording' }, () => paymentGateway.fetchRecording(callId, signal)),
    register: (request, signal) =>
      intercept({ operation: 'register', bankCode: request.bankCode }, () =>
        paymentGateway.register(request, signal),
      ),
    inquireRegistration: (reference, signal) =>
      intercept({ operation: 'inquireRegistration' }, () =>
        paymentGateway.inquireRegistration(reference, signal),
      ),
    listRegistrations: (page, signal) =>
      intercept({ operation: 'listRegistrations' }, () => paymentGateway.listRegistrations(page, signal)),
    registerAutoCharge: (reference, signal) =>
      intercept({ operation: 'registerAutoCharge' }, () =>
        paymentGateway.registerAutoCharge(reference, signal),
      ),
    removeRegistration: (reference, signal) =>
      intercept({ operation: 'removeRegistration' }, () =>
        paymentGateway.removeRegistration(reference, signal),
      ),
    receiveCallback: (request) => paymentGateway.receiveCallback(request),
  };
}
