import type { Hono } from 'hono';
import { banks } from '../contract/bank-codes.ts';
import {
  inquireRegistration,
  issueArsCode,
  listInstitutions,
  registerAccount,
  validateAccountHolder,
} from '../contract/bank-account-operations.ts';
import { resultCodeOfRefusal } from '../contract/result-codes.ts';
import { isMember } from '../platform/database/members.ts';
import type { Api, ApiParts } from './context.ts';
import { serve } from './operation.ts';
import { LatestRegistrations } from './latest-registrations.ts';
import { Refusal } from './refusal.ts';
import { readStanding, requireMember, startRegistration } from './registrations.ts';

/** How long the synchronous real-name check may take, in ms. */
const accountHolderDeadline = 8_000;

/** The endpoints below `/bankaccounts`. */
export function serveBankAccounts(app: Hono<Api>, parts: ApiParts): void {
  const { stores, paymentGateway } = parts;
  const latestRegistrations = new LatestRegistrations();

  serve(app, parts, validateAccountHolder, async (request, { project }) => {
    const member = await requireMember(stores, project.aspId, request.userId);
    const { userName: holderName, birthDate, bankCode, bankAccount: accountNumber } = request;
    if (project.comparesMember && !isMember(member, holderName, birthDate)) throw new Refusal('002_911');

    const account = { bankCode, accountNumber, holderName, birthDate };
    const answer = await paymentGateway.inquireAccountHolder(
      account,
      AbortSignal.timeout(accountHolderDeadline),
    );
    if (answer !== 'MATCHED') throw new Refusal(resultCodeOfRefusal[answer]);
    return {};
  });

  serve(app, parts, issueArsCode, async ({ userId }, { project }) => {
    const { authNumber } = await stores.arsCodes.issue(await requireMember(stores, project.aspId, userId));
    return { authNumber };
  });

  serve(app, parts, registerAccount, (request, { project, arrival }) =>
    startRegistration({ ...parts, latestRegistrations }, project.aspId, request, arrival),
  );

  serve(app, parts, inquireRegistration, async ({ regNo }, { project }) => {
    const record = await stores.registrations.find(project.aspId, regNo);
    if (!record) throw new Refusal('002_019');
    const { status, resultCode } = await readStanding(parts, record);
    if (resultCode === null || resultCode === '000_000') return { status };
    throw new Refusal(resultCode, { payload: { status } });
  });

  serve(app, parts, listInstitutions, async () => ({
    institutions: Object.entries(banks).map(([bankCode, bankName]) => ({ bankCode, bankName })),
  }));
}
