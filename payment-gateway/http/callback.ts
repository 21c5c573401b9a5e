import { z } from 'zod';
import { arsOutcomes } from '../../wire/registration-status.ts';
import { refusalReasons } from '../../contract/refusal-reasons.ts';

const reference = z.string().regex(/^[0-9A-Z]{22}$/);

/** What the payment gateway tells by callback: how an ARS call ended, or what became of a registration. */
export const callbackSchema = z.union([
  z.object({
    type: z.literal('ARS'),
    reference,
    attempt: z.int().min(1).max(100),
    callId: z.string().min(1).max(40),
    state: z.literal('PASSED'),
  }),
  z.object({
    type: z.literal('ARS'),
    reference,
    attempt: z.int().min(1).max(100),
    callId: z.string().min(1).max(40),
    state: z.literal('FAILED'),
    outcome: z.enum(arsOutcomes).exclude(['PASSED']),
  }),
  z.object({ type: z.literal('REGISTRATION'), reference, state: z.literal('REGISTERED') }),
  z.object({
    type: z.literal('REGISTRATION'),
    reference,
    state: z.literal('REFUSED'),
    reason: z.enum(refusalReasons),
  }),
]);

/** A callback of the payment gateway. */
export type Callback = z.infer<typeof callbackSchema>;
