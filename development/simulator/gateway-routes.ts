import { Hono } from 'hono';
import type { Context } from 'hono';
import type { Banks } from './banks.ts';
import type { Calls } from './calls.ts';
import { accountBehaviour } from './behaviour.ts';
import type { Timings } from './behaviour.ts';
import * as protocol from './protocol.ts';
import type { RegisterResult, RegistrationLedger } from './registration-ledger.ts';
import { cutConnection, leaveUnanswered, readBody, requireSignature } from './requests.ts';
import type { HttpEnvironment } from './requests.ts';

const bankOutage = { error: 'BANK_UNAVAILABLE' };

/** The signed protocol of the payment gateway, under /v1. */
export function gatewayRoutes(
  sharedSecret: string,
  calls: Calls,
  registrations: RegistrationLedger,
  banks: Banks,
  timings: Timings,
): Hono<HttpEnvironment> {
  const routes = new Hono<HttpEnvironment>();
  routes.use(requireSignature(sharedSecret));

  routes.post('/account-holders/inquiry', async (c) => {
    const { accountNumber, bankCode } = await readBody(c, protocol.accountHolderInquiry);
    if (banks.isOut(bankCode)) return c.json(bankOutage, 503);
    return c.json({ result: accountBehaviour(accountNumber).holder });
  });

  routes.post('/ars-calls', async (c) => {
    const callId = await calls.ring(await readBody(c, protocol.callRequest));
    return c.json({ callId, state: 'IN_PROGRESS' }, 202);
  });

  routes.post('/ars-calls/inquiry', async (c) => {
    const { reference, attempt } = await readBody(c, protocol.callInquiry);
    return c.json(calls.inquire(reference, attempt));
  });

  routes.post('/ars-calls/recording', async (c) => {
    const { callId } = await readBody(c, protocol.recordingRequest);
    const recording = calls.recording(callId);
    if (!recording) return c.json({ error: 'Unknown recording' }, 404);
    return c.body(recording, 200, { 'content-type': 'audio/wav' });
  });

  routes.post('/registrations', async (c) => {
    const request = await readBody(c, protocol.registrationRequest);
    if (banks.isOut(request.bankCode)) return c.json(bankOutage, 503);
    const result = await registrations.register(request);
    return answerRegistration(c, result, timings.unansweredHoldMs);
  });

  routes.post('/registrations/inquiry', async (c) => {
    const { reference } = await readBody(c, protocol.registrationInquiry);
    return c.json(registrations.inquire(reference));
  });

  routes.post('/registrations/ledger', async (c) =>
    c.json(registrations.page(await readBody(c, protocol.ledgerPage))),
  );

  // Auto charge does not change what the simulator does, so it is not stored.
  routes.post('/registrations/auto-charge', async (c) => {
    const { reference } = await readBody(c, protocol.registrationInquiry);
    const { state } = registrations.inquire(reference);
    return state === 'REGISTERED' ? c.json({ state }) : c.json({ state: 'NOT_FOUND' }, 404);
  });

  routes.post('/registrations/removal', async (c) => {
    const { reference } = await readBody(c, protocol.registrationRemoval);
    const removed = await registrations.remove(reference);
    return removed ? c.json({ state: 'REMOVED' }) : c.json({ state: 'NOT_FOUND' }, 404);
  });

  return routes;
}

/** The response that the account's behaviour requires, which may be none. */
function answerRegistration(
  c: Context<HttpEnvironment>,
  result: RegisterResult,
  unansweredHoldMs: number,
): Response | Promise<Response> {
  if (result.kind === 'SILENT') return leaveUnanswered(c, unansweredHoldMs);
  if (result.kind === 'UNAVAILABLE') return c.json({ error: 'The bank is unavailable' }, 503);
  if (result.kind === 'REFUSED') return c.json({ state: 'REFUSED', reason: result.reason }, 422);
  if (result.kind === 'ACCEPTED') return c.json({ state: 'ACCEPTED' }, 202);
  return result.answerIsLost ? cutConnection(c) : c.json({ state: 'REGISTERED' });
}
