import { z } from 'zod';
import {
  accountInfo,
  authNumber,
  bankAccount,
  bankCode,
  bankNames,
  birthDate,
  institution,
  listedRegistration,
  registrationNumber,
  registrationStatus,
  timelineEntry,
  userId,
  userName,
} from './bank-account-schemas.ts';
import { verbatimName } from './names.ts';
import { defineOperation } from './operation.ts';
import { codes } from './result-codes.ts';

/** What a refusal says about the operation that is under way. */
const running = z.object({
  bankAccRegNo: registrationNumber.optional().meta({
    description:
      'The registration that is under way. Present with `002_013`, unless it is another operation.',
  }),
  authNumber: authNumber.optional().meta({
    description: 'The code for its call. Present when it was issued for that registration.',
  }),
});

/** The reasons why an account itself is refused, apart from the two that the platform documents. */
const accountRefusals = [
  codes.HOLDER_NAME_MISMATCH,
  codes.HOLDER_BIRTH_DATE_MISMATCH,
  codes.NO_SUCH_ACCOUNT,
  codes.ACCOUNT_CLOSED,
  codes.ACCOUNT_DORMANT,
  codes.WRONG_ACCOUNT_KIND,
  codes.HOLDER_DECEASED,
  codes.ACCOUNT_REPORTED_LOST,
  codes.ACCOUNT_SEIZED,
] as const;

/** Checks the real name of an account holder. */
export const validateAccountHolder = defineOperation({
  name: 'validateAccountHolder',
  path: '/bankaccounts/user/valid',
  title: 'Real-name verification',
  description: 'Checks with the bank that the account belongs to the named person.',
  encrypted: true,
  request: z.object({ bankAccount, bankCode, userId, userName, birthDate }),
  response: z.object({}),
  codes: [
    codes.MEMBER_NOT_FOUND,
    codes.LIFETIME_ACCOUNT,
    codes.RESTRICTED_ACCOUNT,
    ...accountRefusals,
    codes.HOLDER_IS_NOT_MEMBER,
    codes.BANK_OR_GATEWAY_CLOSED,
  ],
});

/** Issues a code for the ARS call before the registration. */
export const issueArsCode = defineOperation({
  name: 'issueArsCode',
  path: '/bankaccounts/ars/auth',
  title: 'Authentication code for the ARS call',
  description:
    'Issues the code that the member enters during the call. It is valid for ten minutes and for one registration.',
  encrypted: false,
  request: z.object({ userId }),
  response: z.object({ authNumber }),
  codes: [codes.MEMBER_NOT_FOUND],
});

/** Registers a withdrawal account. */
export const registerAccount = defineOperation({
  name: 'registerAccount',
  path: '/bankaccounts/ars/register',
  title: 'Registration of a withdrawal account',
  description:
    'Starts a registration: real-name check, ARS call, registration at the payment gateway. It responds immediately; poll the status for the result. A previously registered account stays usable until the new one is registered.',
  encrypted: true,
  changes: true,
  request: z.object({
    userId,
    bankAccount,
    bankCode,
    bankName: verbatimName.meta({
      description: "The bank's name, 1 to 100 characters as people count them.",
      examples: ['IBK'],
    }),
    userName,
    birthDate,
    // The service parses it further with `phoneNumber`, whose library is no part of the client.
    mobileNumber: z
      .string()
      .optional()
      .meta({
        description:
          "The phone number to call, in any usual spelling of a number that can be called in Korea. Default: the member's stored number.",
        examples: ['01072595214'],
      }),
  }),
  response: z.object({
    bankAccRegNo: registrationNumber,
    authNumber: authNumber.optional().meta({
      description:
        'The code issued for this registration. Present when there was no valid code from ars/auth.',
    }),
  }),
  refusal: running,
  codes: [codes.MEMBER_NOT_FOUND, codes.HOLDER_IS_NOT_MEMBER, codes.OPERATION_IN_PROGRESS],
});

/** Returns the status of a registration. */
export const inquireRegistrationStatus = defineOperation({
  name: 'inquireRegistrationStatus',
  path: '/bankaccounts/ars/register/inquiry',
  title: 'Status of a registration',
  description:
    'Returns the status of a registration, for years after it ended. For a failed registration, the response is a 400 with its result code, its status, `reason` and `retryable`.',
  encrypted: false,
  request: z.object({ regNo: registrationNumber }),
  response: z.object({ status: registrationStatus }),
  refusal: z.object({
    status: registrationStatus.optional(),
    reason: z.string().optional().meta({
      description:
        'Why it failed, a word in capitals. For `002_014` how the last call ended (`NO_ANSWER`, `BUSY`, `REJECTED`, `HUNG_UP`, `NO_INPUT`, `WRONG_CODE`, `NOT_IN_SERVICE`, `CARRIER_ERROR`, `NO_OUTCOME`, `NOT_PLACED`) or which daily limit was reached (`MEMBER_LIMIT`, `PHONE_LIMIT`, `ACCOUNT_LIMIT`); otherwise the name of the code.',
    }),
    retryable: z.boolean().optional().meta({ description: 'Whether registering again may help.' }),
  }),
  codes: [
    codes.ARS_AUTH_FAILED,
    codes.LIFETIME_ACCOUNT,
    codes.RESTRICTED_ACCOUNT,
    codes.REGISTRATION_NOT_FOUND,
    ...accountRefusals,
    codes.EVIDENCE_NOT_SECURED,
    codes.NOT_REGISTERED_AFTER_REVIEW,
    codes.REAL_NAME_CHECK_UNAVAILABLE,
    codes.CANCELLED,
    codes.BANK_OR_GATEWAY_CLOSED,
  ],
});

/** Returns the member's registered account. */
export const getAccount = defineOperation({
  name: 'getAccount',
  path: '/bankaccounts/info',
  title: "The member's registered account",
  description:
    'Returns the registered account. The response to an encrypted request is encrypted and complete. The response to a plain request, if the project allows one, is plain and masked.',
  encrypted: true,
  answerEncrypted: 'as-asked',
  request: z.object({ userId }),
  response: z.object({
    userId,
    accountInfo,
  }),
  codes: [codes.MEMBER_NOT_FOUND, codes.NO_REGISTERED_ACCOUNT],
});

/** Returns what the member's account can be used for. */
export const inquireAccount = defineOperation({
  name: 'inquireAccount',
  path: '/bankaccounts/inquiry',
  title: "The member's account details",
  description: 'Returns what the registered account can be used for.',
  encrypted: false,
  request: z.object({ userId }),
  response: z.object({
    bankCode,
    bankName: z.string().meta({ description: 'The name of the bank, as it was sent.' }),
    ...bankNames,
    bankAccount: z.string().meta({ description: 'The account number, masked.' }),
    bankAccForAutoRcg: z
      .string()
      .optional()
      .meta({ description: 'The account for auto charge, masked. Present when auto charge is available.' }),
    isAutoRcgAccRegAllowed: z
      .boolean()
      .meta({ description: 'True when the account has to be registered for auto charge first.' }),
  }),
  codes: [codes.MEMBER_NOT_FOUND, codes.NO_REGISTERED_ACCOUNT],
});

/** Registers the member's registered account for auto charge. */
export const registerForAutoCharge = defineOperation({
  name: 'registerForAutoCharge',
  path: '/bankaccounts/as-rcg-svc/ars/register',
  title: 'Auto-charge registration',
  description: "Registers the member's registered account for auto charge. The response is encrypted.",
  encrypted: true,
  changes: true,
  answerEncrypted: 'always',
  request: z.object({ userId }),
  response: z.object({}),
  refusal: running,
  codes: [
    codes.MEMBER_NOT_FOUND,
    codes.OPERATION_IN_PROGRESS,
    codes.NO_REGISTERED_ACCOUNT,
    codes.AUTO_CHARGE_FAILED,
  ],
});

/** Deletes the member's account. */
export const deleteAccount = defineOperation({
  name: 'deleteAccount',
  path: '/bankaccounts/delete',
  title: 'Deletion of the account',
  description:
    'Deactivates the registered account and removes it at the payment gateway. The evidence of consent is kept.',
  encrypted: true,
  changes: true,
  request: z.object({ userId }),
  response: z.object({}),
  refusal: running,
  codes: [codes.MEMBER_NOT_FOUND, codes.OPERATION_IN_PROGRESS, codes.NO_REGISTERED_ACCOUNT],
});

/** Cancels a running registration. */
export const cancelRegistration = defineOperation({
  name: 'cancelRegistration',
  path: '/bankaccounts/ars/register/cancel',
  title: 'Cancellation of a registration',
  description:
    'Cancels a registration, as long as the payment gateway has not been asked to register the account. The registration ends as BANK_ACC_REG_FAILED with 002_914. Idempotent.',
  encrypted: true,
  changes: true,
  request: z.object({
    regNo: registrationNumber,
    action: z.literal('cancel').meta({
      description: 'Always `cancel`, so that a copied status inquiry cancels nothing.',
      examples: ['cancel'],
    }),
  }),
  response: z.object({}),
  codes: [codes.REGISTRATION_NOT_FOUND, codes.TOO_LATE_TO_CANCEL],
});

/** Returns what has happened to a registration. */
export const getTimeline = defineOperation({
  name: 'getTimeline',
  path: '/bankaccounts/ars/register/timeline',
  title: 'Timeline of a registration',
  description: 'Returns what has happened to a registration, oldest first.',
  encrypted: false,
  request: z.object({ regNo: registrationNumber }),
  response: z.object({
    steps: z.array(timelineEntry),
  }),
  codes: [codes.REGISTRATION_NOT_FOUND],
});

/** Lists a project's registrations. */
export const listRegistrations = defineOperation({
  name: 'listRegistrations',
  path: '/bankaccounts/ars/register/list',
  title: 'Registrations of the project',
  description:
    'Lists registrations, newest first, in pages. The status of a running registration may be slightly out of date.',
  encrypted: false,
  request: z.object({
    userId: userId
      .optional()
      .meta({ description: "Only this member's registrations.", examples: [10000000001] }),
    status: registrationStatus.optional(),
    from: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ description: 'Only registrations started at or after this time, ISO 8601.' }),
    to: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ description: 'Only registrations started before this time, ISO 8601.' }),
    cursor: registrationNumber.optional().meta({ description: '`nextCursor` of the previous page.' }),
    limit: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'Page size. Default: 20.', examples: [20] }),
  }),
  response: z.object({
    registrations: z.array(listedRegistration),
    nextCursor: registrationNumber
      .optional()
      .meta({ description: 'Pass this as `cursor` to get the next page. Present when there may be one.' }),
  }),
  codes: [codes.MEMBER_NOT_FOUND],
});

/** Lists the financial institutions. */
export const listInstitutions = defineOperation({
  name: 'listInstitutions',
  path: '/bankaccounts/institutions',
  title: 'Financial institutions',
  description:
    'Lists the institutions whose accounts can be registered. Savings banks, forestry cooperatives and securities firms are among them for a project that accepts them.',
  encrypted: false,
  request: z.object({}),
  response: z.object({
    institutions: z.array(institution),
  }),
  codes: [],
});

/** Every operation on bank accounts, in the order of the documentation. */
export const bankAccountOperations = [
  validateAccountHolder,
  issueArsCode,
  registerAccount,
  inquireRegistrationStatus,
  cancelRegistration,
  getTimeline,
  listRegistrations,
  getAccount,
  inquireAccount,
  registerForAutoCharge,
  deleteAccount,
  listInstitutions,
] as const;
