import { z } from 'zod';
import { isBankCode } from './bank-codes.ts';
import { defineOperation } from './operation.ts';
import { registrationStatuses } from './registration-status.ts';
import { timelineLabels } from './timeline.ts';
import type { TimelineStep } from './timeline.ts';
import { codes } from './result-codes.ts';

/** Text for people: anything but control characters and halves of characters. */
const printable = /^[^\p{Cc}\p{Cs}]*[^\s\p{Cc}\p{Cs}][^\p{Cc}\p{Cs}]*$/u;

/**
 * A member ID. Up to 20 digits, past what a JSON number holds in JavaScript: the wire allows a number or a string of
 * digits, the program has a string.
 */
const userId = z
  .string()
  .min(1)
  .max(20)
  .regex(/^(0|[1-9]\d*)$/)
  .meta({ description: 'The member, as a number or a string of digits.', examples: [10000000001] });

const bankAccount = z
  .string()
  .min(1)
  .max(20)
  .regex(/^[0-9]+(-[0-9]+)*$/)
  .meta({ description: 'The account number.', examples: ['11012345678'] });

const bankCode = z
  .string()
  .length(3)
  .refine(isBankCode)
  .meta({ description: 'The bank, by its code of the institution list.', examples: ['003'] });

const userName = z
  .string()
  .min(1)
  .max(100)
  .regex(printable)
  .meta({ description: "The account holder's real name.", examples: ['김하늘'] });

const birthDate = z
  .string()
  .length(8)
  .regex(/^\d{8}$/)
  .refine(isCalendarDate)
  .meta({ description: "The account holder's birth date, `yyyyMMdd`.", examples: ['19900131'] });

const registrationNumber = z
  .string()
  .length(22)
  .regex(/^[0-9A-Za-z]+$/)
  .meta({ description: 'The registration number.', examples: ['261122093000AB12CD34EF'] });

const authNumber = z
  .string()
  .regex(/^\d{2}$/)
  .meta({ description: 'The two digits to show to the member, who keys them in during the call.' });

/** Why an account itself is refused, but for the two documented codes. */
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

/** Real-name verification of an account holder. */
export const validateAccountHolder = defineOperation({
  path: '/bankaccounts/user/valid',
  title: 'Real-name verification',
  description: 'Asks the bank whether the account belongs to the person named.',
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

/** A code for the ARS call, made before the registration. */
export const issueArsCode = defineOperation({
  path: '/bankaccounts/ars/auth',
  title: 'Authentication code before the ARS call',
  description:
    'Makes the code that the member keys in during the call. It lives ten minutes and serves one registration.',
  encrypted: false,
  request: z.object({ userId }),
  response: z.object({ authNumber }),
  codes: [codes.MEMBER_NOT_FOUND],
});

/** Registration of a withdrawal account. */
export const registerAccount = defineOperation({
  path: '/bankaccounts/ars/register',
  title: 'Registration of a withdrawal account',
  description:
    'Starts the registration: real-name check, ARS call, registration at the payment gateway. The answer comes at once; the inquiry tells how it goes. An account already registered stays usable until the new one is.',
  encrypted: true,
  request: z.object({
    userId,
    bankAccount,
    bankCode,
    bankName: z
      .string()
      .min(1)
      .max(100)
      .regex(printable)
      .meta({ description: "The bank's name.", examples: ['IBK'] }),
    userName,
    birthDate,
    mobileNumber: z
      .string()
      .min(10)
      .max(20)
      .regex(/^\+?[0-9]+(-[0-9]+)*$/)
      .optional()
      .meta({
        description: "Where the ARS calls; the member's stored number when absent.",
        examples: ['01012341234'],
      }),
  }),
  response: z.object({
    bankAccRegNo: registrationNumber,
    authNumber: authNumber.optional().meta({
      description: 'Present when no live code of ars/auth was there: the code made for this registration.',
    }),
  }),
  codes: [codes.MEMBER_NOT_FOUND, codes.OPERATION_IN_PROGRESS],
});

/** The status of a registration. */
export const inquireRegistration = defineOperation({
  path: '/bankaccounts/ars/register/inquiry',
  title: 'Status of a registration',
  description:
    'Tells how a registration stands, for years. A failed one is answered with its code and its status.',
  encrypted: false,
  request: z.object({ regNo: registrationNumber }),
  response: z.object({ status: z.enum(registrationStatuses) }),
  codes: [
    codes.ARS_AUTH_FAILED,
    codes.LIFETIME_ACCOUNT,
    codes.RESTRICTED_ACCOUNT,
    codes.REGISTRATION_NOT_FOUND,
    ...accountRefusals,
    codes.EVIDENCE_NOT_SECURED,
    codes.HOLDER_IS_NOT_MEMBER,
    codes.NOT_REGISTERED_AFTER_REVIEW,
    codes.REAL_NAME_CHECK_UNAVAILABLE,
    codes.CANCELLED,
    codes.BANK_OR_GATEWAY_CLOSED,
  ],
});

const accountId = z
  .string()
  .length(5)
  .meta({ description: 'The account, for people.', examples: ['40213'] });

/** The member's registered account. */
export const getAccount = defineOperation({
  path: '/bankaccounts/info',
  title: "The member's registered account",
  description:
    'Gives the registered account. An encrypted request is answered encrypted and in full; a plain one, where the project allows it, with the account masked.',
  encrypted: true,
  answerEncrypted: 'as-asked',
  request: z.object({ userId }),
  response: z.object({
    userId,
    accountInfo: z.object({
      accountId,
      userName: z.string().meta({ description: 'The account holder; masked in a plain answer.' }),
      bankCode,
      bankName: z.string(),
      bankAccount: z.string().meta({ description: 'The account number; masked in a plain answer.' }),
      bankAccRegNo: registrationNumber,
    }),
  }),
  codes: [codes.MEMBER_NOT_FOUND, codes.NO_REGISTERED_ACCOUNT],
});

/** What the member's account can be used for. */
export const inquireAccount = defineOperation({
  path: '/bankaccounts/inquiry',
  title: "The member's account details",
  description: 'Tells what the registered account can be used for.',
  encrypted: false,
  request: z.object({ userId }),
  response: z.object({
    bankCode,
    bankName: z.string(),
    bankAccount: z.string().meta({ description: 'The account number, masked.' }),
    bankAccForAutoRcg: z
      .string()
      .optional()
      .meta({ description: 'The account for auto charge, masked. Present: auto charge can be set.' }),
    isAutoRcgAccRegAllowed: z
      .boolean()
      .meta({ description: 'True: register the account for auto charge first.' }),
  }),
  codes: [codes.MEMBER_NOT_FOUND, codes.NO_REGISTERED_ACCOUNT],
});

/** Auto-charge registration of the account that is registered already. */
export const registerForAutoCharge = defineOperation({
  path: '/bankaccounts/as-rcg-svc/ars/register',
  title: 'Auto-charge registration',
  description: 'Registers the account, registered already, for auto charge. The answer is encrypted.',
  encrypted: true,
  answerEncrypted: 'always',
  request: z.object({ userId }),
  response: z.object({}),
  codes: [
    codes.MEMBER_NOT_FOUND,
    codes.OPERATION_IN_PROGRESS,
    codes.NO_REGISTERED_ACCOUNT,
    codes.AUTO_CHARGE_FAILED,
  ],
});

/** Deletion of the member's account. */
export const deleteAccount = defineOperation({
  path: '/bankaccounts/delete',
  title: 'Deletion of the account',
  description:
    'Takes the registered account out of use and has it removed at the payment gateway. The evidence of consent is kept.',
  encrypted: true,
  request: z.object({ userId }),
  response: z.object({}),
  codes: [codes.MEMBER_NOT_FOUND, codes.OPERATION_IN_PROGRESS, codes.NO_REGISTERED_ACCOUNT],
});

/** Cancellation of a running registration. */
export const cancelRegistration = defineOperation({
  path: '/bankaccounts/ars/register/cancel',
  title: 'Cancellation of a registration',
  description:
    'Cancels a registration until the payment gateway is asked to register the account. It then ends as BANK_ACC_REG_FAILED with 002_914. Cancelling twice is harmless.',
  encrypted: false,
  request: z.object({ regNo: registrationNumber }),
  response: z.object({}),
  codes: [codes.REGISTRATION_NOT_FOUND, codes.TOO_LATE_TO_CANCEL],
});

/** What happened to a registration. */
export const getTimeline = defineOperation({
  path: '/bankaccounts/ars/register/timeline',
  title: 'Timeline of a registration',
  description: 'Tells what has happened to a registration, oldest first.',
  encrypted: false,
  request: z.object({ regNo: registrationNumber }),
  response: z.object({
    steps: z.array(
      z.object({
        step: z.enum(Object.keys(timelineLabels) as [TimelineStep, ...TimelineStep[]]),
        at: z.iso.datetime().meta({ description: 'When, in UTC.' }),
        attempt: z.int().min(1).meta({ description: 'Which one of its kind.' }),
        outcome: z.string().meta({ description: "What came of it: an outcome's name or a result code." }),
        until: z.iso
          .datetime()
          .optional()
          .meta({ description: 'When it goes on, in UTC, if it waits for a time.' }),
        ko: z.string(),
        en: z.string(),
      }),
    ),
  }),
  codes: [codes.REGISTRATION_NOT_FOUND],
});

/** A project's registrations. */
export const listRegistrations = defineOperation({
  path: '/bankaccounts/ars/register/list',
  title: 'Registrations of the project',
  description:
    'Lists registrations, newest first, a page at a time. Statuses of running ones may lag a moment behind.',
  encrypted: false,
  request: z.object({
    status: z.enum(registrationStatuses).optional(),
    from: z.iso.datetime({ offset: true }).optional().meta({ description: 'Begun at or after, ISO 8601.' }),
    to: z.iso.datetime({ offset: true }).optional().meta({ description: 'Begun before, ISO 8601.' }),
    cursor: registrationNumber.optional().meta({ description: '`nextCursor` of the page before.' }),
    limit: z.int().min(1).max(100).optional().meta({ description: 'At most so many; 20 by default.' }),
  }),
  response: z.object({
    registrations: z.array(
      z.object({
        bankAccRegNo: registrationNumber,
        userId,
        bankCode,
        status: z.enum(registrationStatuses),
        code: z.string().optional().meta({ description: 'The result code, once it has ended.' }),
        createdAt: z.iso.datetime(),
        endedAt: z.iso.datetime().optional(),
      }),
    ),
    nextCursor: registrationNumber.optional().meta({ description: 'Present when there may be more.' }),
  }),
  codes: [],
});

/** The financial institutions. */
export const listInstitutions = defineOperation({
  path: '/bankaccounts/institutions',
  title: 'Financial institutions',
  description: 'Lists the banks an account can be registered at.',
  encrypted: false,
  request: z.object({}),
  response: z.object({ institutions: z.array(z.object({ bankCode: z.string(), bankName: z.string() })) }),
  codes: [],
});

/** All operations on bank accounts. */
export const bankAccountOperations = [
  validateAccountHolder,
  issueArsCode,
  registerAccount,
  inquireRegistration,
  cancelRegistration,
  getTimeline,
  listRegistrations,
  getAccount,
  inquireAccount,
  registerForAutoCharge,
  deleteAccount,
  listInstitutions,
] as const;

function isCalendarDate(text: string): boolean {
  const [year, month, day] = [text.slice(0, 4), text.slice(4, 6), text.slice(6, 8)].map(Number) as [
    number,
    number,
    number,
  ];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
