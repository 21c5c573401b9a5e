import type { Hono } from 'hono';
import {
  deleteAccount,
  getAccount,
  inquireAccount,
  issueArsCode,
  listInstitutions,
  registerForAutoCharge,
  validateAccountHolder,
} from '../../wire/bank-account-operations.ts';
import { banks, isBankCode } from '../../wire/bank-codes.ts';
import { maskAccountNumber, maskName } from '../../wire/masking.ts';
import { workflowTypes } from '../../contract/registration.ts';
import { resultCodeOfRefusal } from '../../contract/refusal-reasons.ts';
import { isMember } from '../../database/members.ts';
import type { Member } from '../../database/members.ts';
import type { Api } from '../context.ts';
import { requireMember, runMemberOperation } from '../registrations/member-runs.ts';
import { serve } from '../http/operation.ts';
import type { OperationParts } from '../http/operation.ts';
import { Refusal } from '../http/refusal.ts';
import { codes } from '../../wire/result-codes.ts';

/** How long the synchronous real-name check may take, in ms. */
const accountHolderDeadline = 8_000;

/** The endpoints of members' accounts: `/bankaccounts` but for registrations. */
export function serveBankAccounts(app: Hono<Api>, parts: OperationParts): void {
  const { stores, paymentGateway } = parts;

  serve(app, parts, validateAccountHolder, async (request, { project }) => {
    const member = await requireMember(stores, project.aspId, request.userId);
    const { userName: holderName, birthDate, bankCode, bankAccount: accountNumber } = request;
    if (project.comparesMember && !isMember(member, holderName, birthDate))
      throw new Refusal(codes.HOLDER_IS_NOT_MEMBER);

    if (await stores.bankWindows.closedUntil(bankCode, Date.now()))
      throw new Refusal(codes.BANK_OR_GATEWAY_CLOSED);
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

  serve(app, parts, getAccount, async ({ userId }, { project, answerKey }) => {
    const { accountNumber, holderName, ...account } = await requireAccount(
      await requireMember(stores, project.aspId, userId),
    );
    const isMasked = answerKey === undefined;
    return {
      userId,
      accountInfo: {
        accountId: account.accountId,
        userName: isMasked ? maskName(holderName) : holderName,
        bankCode: account.bankCode,
        bankName: account.bankName,
        bankAccount: isMasked ? maskAccountNumber(accountNumber) : accountNumber,
        bankAccRegNo: account.registrationNumber,
      },
    };
  });

  serve(app, parts, inquireAccount, async ({ userId }, { project }) => {
    const account = await requireAccount(await requireMember(stores, project.aspId, userId));
    const bankAccount = maskAccountNumber(account.accountNumber);
    const { bankCode, bankName, autoChargeSince } = account;
    return {
      bankCode,
      bankName,
      bankAccount,
      ...(autoChargeSince && { bankAccForAutoRcg: bankAccount }),
      isAutoRcgAccRegAllowed: !autoChargeSince,
    };
  });

  serve(app, parts, registerForAutoCharge, async ({ userId }, { project }) => {
    const member = await requireMember(stores, project.aspId, userId);
    await runMemberOperation(
      parts,
      member,
      workflowTypes.registerAutoCharge,
      'Register the account for auto charge',
    );
    return {};
  });

  serve(app, parts, deleteAccount, async ({ userId }, { project }) => {
    const member = await requireMember(stores, project.aspId, userId);
    await runMemberOperation(parts, member, workflowTypes.delete, 'Delete the account');
    return {};
  });

  serve(app, parts, listInstitutions, async () => ({
    institutions: Object.entries(banks).map(([bankCode, bankName]) => ({ bankCode, bankName })),
  }));

  async function requireAccount({ userId }: Member) {
    const account = await stores.accounts.findActive(userId);
    if (!account) throw new Refusal(codes.NO_REGISTERED_ACCOUNT);
    const { bankCode, details } = await stores.registrations.open(account.registrationNumber);
    if (!isBankCode(bankCode))
      throw new Error(`Registration ${account.registrationNumber} is at no known bank.`);
    const { accountNumber, holderName } = details;
    return { ...account, bankCode, bankName: banks[bankCode], accountNumber, holderName };
  }
}
