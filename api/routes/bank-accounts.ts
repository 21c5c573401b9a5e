import type { Hono } from 'hono';
import type { z } from 'zod';
import {
  deleteAccount as deleteAccountOperation,
  getAccount,
  inquireAccount,
  issueArsCode,
  listInstitutions,
  registerForAutoCharge,
  validateAccountHolder,
} from '../../wire/bank-account-operations.ts';
import { bankCodes, institutions, isBankCode } from '../../wire/bank-codes.ts';
import { maskAccountNumber, maskName } from '../../wire/masking.ts';
import { codes } from '../../wire/result-codes.ts';
import { resultCodeOfRefusal } from '../../contract/refusal-reasons.ts';
import type { Member } from '../../database/members.ts';
import type { Project } from '../../database/projects.ts';
import type { Api } from '../context.ts';
import { serve } from '../http/operation.ts';
import type { OperationParts } from '../http/operation.ts';
import { Refusal } from '../http/refusal.ts';
import { isAcceptedBank, requireAcceptedBank } from '../registrations/accepted-bank.ts';
import { deleteAccount } from '../registrations/delete-account.ts';
import {
  registerAutoCharge,
  requireHolderIsMember,
  requireMember,
  tooManyChecks,
} from '../registrations/member-runs.ts';

/** How long the payment gateway may take for the synchronous real-name check, in ms. */
const accountHolderTimeout = 8_000;

/** The routes of members' accounts: the paths below `/bankaccounts` apart from those of registrations. */
export function serveBankAccounts(app: Hono<Api>, parts: OperationParts): void {
  const { stores } = parts;

  serve(app, parts, validateAccountHolder, async (request, { project }) => {
    requireAcceptedBank(project, request.bankCode);
    const member = await findMember(project, request.userId);
    requireHolderIsMember(project, member, request);
    await checkAccountHolder(parts, member, request);
    return {};
  });

  serve(app, parts, issueArsCode, async ({ userId }, { project }) => {
    const { authNumber } = await stores.arsCodes.issue(await findMember(project, userId));
    return { authNumber };
  });

  serve(app, parts, getAccount, async ({ userId }, { project, responseKey }) => {
    const account = await requireAccount(await findMember(project, userId));
    return { userId, accountInfo: toAccountInfo(account, responseKey === undefined) };
  });

  serve(app, parts, inquireAccount, async ({ userId }, { project }) => {
    const account = await requireAccount(await findMember(project, userId));
    const { bankCode, bankName, bankNameKo, bankNameEn, autoChargeSince } = account;
    const bankAccount = maskAccountNumber(account.accountNumber);
    return {
      bankCode,
      bankName,
      bankNameKo,
      bankNameEn,
      bankAccount,
      ...(autoChargeSince && { bankAccForAutoRcg: bankAccount }),
      isAutoRcgAccRegAllowed: !autoChargeSince,
    };
  });

  serve(app, parts, registerForAutoCharge, async ({ userId }, { project, repeatable }) => {
    await registerAutoCharge(parts, await findMember(project, userId), repeatable);
    return {};
  });

  serve(app, parts, deleteAccountOperation, async ({ userId }, { project, repeatable }) => {
    await deleteAccount(parts, await findMember(project, userId), repeatable);
    return {};
  });

  serve(app, parts, listInstitutions, async (_request, { project }) => ({
    institutions: bankCodes
      .filter((bankCode) => isAcceptedBank(project, bankCode))
      .map((bankCode) => {
        const { ko, en } = institutions[bankCode];
        return { bankCode, bankName: en, bankNameKo: ko, bankNameEn: en };
      }),
  }));

  function findMember({ aspId }: Project, userId: string): Promise<Member> {
    return requireMember(stores, aspId, userId);
  }

  async function requireAccount(member: Member) {
    const account = await stores.accounts.findActive(member);
    if (!account) throw new Refusal(codes.NO_REGISTERED_ACCOUNT);
    const { registrationNumber } = account;
    const { bankCode, details } = await stores.registrations.open(member, registrationNumber);
    if (!isBankCode(bankCode))
      throw new Error(`The bank code of registration ${registrationNumber} is not known.`);
    const { accountNumber, holderName, bankName } = details;
    const { ko: bankNameKo, en: bankNameEn } = institutions[bankCode];
    return { ...account, bankCode, bankName, bankNameKo, bankNameEn, accountNumber, holderName };
  }
}

/**
 * Refuses with `002_918` in a maintenance window, with `000_914` when too many accounts were checked for the member today,
 * and with the code of the reason when the holder does not match.
 */
async function checkAccountHolder(
  { stores, paymentGateway, policy }: OperationParts,
  { userId }: Member,
  { bankCode, bankAccount, userName, birthDate }: z.output<typeof validateAccountHolder.request>,
): Promise<void> {
  if (await stores.bankWindows.closedUntil(bankCode, Date.now()))
    throw new Refusal(codes.BANK_OR_GATEWAY_CLOSED);
  if (!(await stores.accountChecks.count(userId, policy.accountHolderCheck.maxPerDay))) throw tooManyChecks();
  const account = { bankCode, accountNumber: bankAccount, holderName: userName, birthDate };
  const signal = AbortSignal.timeout(accountHolderTimeout);
  const result = await paymentGateway.inquireAccountHolder(account, signal);
  if (result !== 'MATCHED') throw new Refusal(resultCodeOfRefusal[result]);
}

type AccountInfo = z.input<typeof getAccount.response>['accountInfo'];

function toAccountInfo(
  account: Pick<AccountInfo, 'accountId' | 'bankCode' | 'bankName' | 'bankNameKo' | 'bankNameEn'> & {
    readonly accountNumber: string;
    readonly holderName: string;
    readonly registrationNumber: string;
  },
  isMasked: boolean,
): AccountInfo {
  const { accountId, bankCode, bankName, bankNameKo, bankNameEn } = account;
  const { accountNumber, holderName, registrationNumber } = account;
  return {
    accountId,
    userName: isMasked ? maskName(holderName) : holderName,
    bankCode,
    bankName,
    bankNameKo,
    bankNameEn,
    bankAccount: isMasked ? maskAccountNumber(accountNumber) : accountNumber,
    bankAccRegNo: registrationNumber,
  };
}
