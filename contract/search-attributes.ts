import { defineSearchAttributeKey } from '@temporalio/common';

/**
 * The KEYWORD search attributes of a run. They are never encrypted, so they carry no personal data. While no worker
 * runs, the status is read from them.
 */
export const searchAttributeNames = [
  'AspId',
  'BankAccRegNo',
  'RegistrationStatus',
  'RegistrationStep',
  'BankCode',
  'ResultCode',
] as const;

/** The typed keys of the attributes, by name. */
export const searchAttributes = {
  aspId: defineSearchAttributeKey('AspId', 'KEYWORD'),
  registrationNumber: defineSearchAttributeKey('BankAccRegNo', 'KEYWORD'),
  status: defineSearchAttributeKey('RegistrationStatus', 'KEYWORD'),
  step: defineSearchAttributeKey('RegistrationStep', 'KEYWORD'),
  bankCode: defineSearchAttributeKey('BankCode', 'KEYWORD'),
  resultCode: defineSearchAttributeKey('ResultCode', 'KEYWORD'),
};
