import type { Project } from '../../database/projects.ts';
import { institutions } from '../../wire/bank-codes.ts';
import type { BankCode } from '../../wire/bank-codes.ts';
import { codes } from '../../wire/result-codes.ts';
import { Refusal } from '../http/refusal.ts';

type Rules = Pick<Project, 'acceptsAllInstitutions'>;

/** Whether a project registers accounts at this institution: at banks always, at others if it is set so. */
export function isAcceptedBank({ acceptsAllInstitutions }: Rules, bankCode: BankCode): boolean {
  return acceptsAllInstitutions || institutions[bankCode].kind === 'BANK';
}

/** Refuses other institutions with `000_002`, like a code that is not known. */
export function requireAcceptedBank(project: Rules, bankCode: BankCode): void {
  if (!isAcceptedBank(project, bankCode)) throw new Refusal(codes.INVALID_VALUE, { field: 'bankCode' });
}
