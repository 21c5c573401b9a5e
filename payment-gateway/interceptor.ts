import type { PaymentGateway } from './payment-gateway.ts';

/** The methods of the port that send a request. */
export type PaymentGatewayOperation = Exclude<keyof PaymentGateway, 'receiveCallback'>;

/** A request that is about to be sent to the payment gateway. */
export type PaymentGatewayRequest = {
  [Operation in PaymentGatewayOperation]: {
    readonly operation: Operation;
    readonly parameters: Parameters<PaymentGateway[Operation]>;
    /** Three digits; only for requests that the payment gateway passes on to the bank while we wait. */
    readonly bankCode?: string;
  };
}[PaymentGatewayOperation];

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

/** The payment gateway with `intercept` around each of its requests. The one way to decorate the port. */
export function interceptPaymentGateway(
  paymentGateway: PaymentGateway,
  intercept: PaymentGatewayInterceptor,
): PaymentGateway {
  return {
    inquireAccountHolder: (...parameters) =>
      intercept({ operation: 'inquireAccountHolder', parameters, bankCode: parameters[0].bankCode }, () =>
        paymentGateway.inquireAccountHolder(...parameters),
      ),
    placeArsCall: (...parameters) =>
      intercept({ operation: 'placeArsCall', parameters }, () => paymentGateway.placeArsCall(...parameters)),
    inquireArsCall: (...parameters) =>
      intercept({ operation: 'inquireArsCall', parameters }, () =>
        paymentGateway.inquireArsCall(...parameters),
      ),
    fetchRecording: (...parameters) =>
      intercept({ operation: 'fetchRecording', parameters }, () =>
        paymentGateway.fetchRecording(...parameters),
      ),
    register: (...parameters) =>
      intercept({ operation: 'register', parameters, bankCode: parameters[0].bankCode }, () =>
        paymentGateway.register(...parameters),
      ),
    inquireRegistration: (...parameters) =>
      intercept({ operation: 'inquireRegistration', parameters }, () =>
        paymentGateway.inquireRegistration(...parameters),
      ),
    listRegistrations: (...parameters) =>
      intercept({ operation: 'listRegistrations', parameters }, () =>
        paymentGateway.listRegistrations(...parameters),
      ),
    registerAutoCharge: (...parameters) =>
      intercept({ operation: 'registerAutoCharge', parameters }, () =>
        paymentGateway.registerAutoCharge(...parameters),
      ),
    removeRegistration: (...parameters) =>
      intercept({ operation: 'removeRegistration', parameters }, () =>
        paymentGateway.removeRegistration(...parameters),
      ),
    receiveCallback: (request) => paymentGateway.receiveCallback(request),
  };
}
