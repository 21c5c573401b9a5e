import { Hono } from 'hono';
import type { Banks } from './banks.ts';
import { publicState } from './calls.ts';
import type { Calls } from './calls.ts';
import type { RegistrationLedger } from './registration-ledger.ts';
import * as protocol from './protocol.ts';
import { readBody } from './requests.ts';
import type { HttpEnvironment } from './requests.ts';

/** Unsigned routes that show the simulator's state, for tests and people in the sandbox. */
export function stateRoutes(
  calls: Calls,
  registrations: RegistrationLedger,
  banks: Banks,
): Hono<HttpEnvironment> {
  const routes = new Hono<HttpEnvironment>();

  routes.get('/registrations', (c) => {
    const entries = registrations.list(c.req.query('userId')).map((entry) => ({
      bankAccRegNo: entry.reference,
      userId: entry.memberId,
      bankCode: entry.bankCode,
      bankAccount: entry.accountNumber,
      state: entry.state,
      registerCalls: entry.registerCalls,
    }));
    return c.json(entries);
  });

  routes.get('/calls', (c) => {
    const list = calls.list(c.req.query('reference')).map((call) => ({
      callId: call.callId,
      reference: call.reference,
      attempt: call.attempt,
      state: publicState(call),
      outcome: call.outcome,
    }));
    return c.json(list);
  });

  routes.put('/banks/:bankCode', async (c) => {
    const { available } = await readBody(c, protocol.bankState);
    banks.setOut(c.req.param('bankCode'), !available);
    return c.json({ available });
  });

  return routes;
}
