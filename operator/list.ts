import { registrationSteps } from '../contract/registration.ts';
import type { RegistrationStep } from '../contract/registration.ts';
import type { RegistrationRecord } from '../database/registrations.ts';
import { bankNameOf } from '../wire/bank-codes.ts';
import type { CommandContext } from './command.ts';
import { readChoice } from './options.ts';
import type { OptionValues } from './options.ts';
import { alignColumns, describeTime } from './table.ts';

/** How many registrations are listed at most. */
const maxListed = 1_000;

/** Lists the open registrations in a step, from their rows. */
export function list(values: OptionValues) {
  const open = registrationSteps.filter((step) => step !== 'DONE');
  const step = readChoice(values, 'step', open);
  return (context: CommandContext) => print(context, step);
}

/** Lists the registrations that wait for an operator. */
export function reviews() {
  return (context: CommandContext) => print(context, 'REVIEW');
}

async function print({ stores, print: line }: CommandContext, step: RegistrationStep): Promise<void> {
  const found = await stores.registrations.listInStep(step, maxListed);
  if (found.length === 0) return line(`No registration is waiting in ${step}.`);
  const header = ['number', 'member', 'bank', `in ${step} since`, 'latest outcome'];
  for (const row of alignColumns([header, ...found.map(describe)])) line(row);
  if (found.length === maxListed) line(`These are the oldest ${maxListed}; there may be more.`);
}

function describe({ registrationNumber, userId, bankCode, triedSince, timeline }: RegistrationRecord) {
  const bank = `${bankCode} ${bankNameOf(bankCode)}`;
  const latest = timeline.at(-1);
  const outcome = latest ? `${latest.step} ${latest.outcome}` : '';
  return [registrationNumber, userId, bank, describeTime(triedSince), outcome];
}
