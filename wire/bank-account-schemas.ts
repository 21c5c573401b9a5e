import { z } from 'zod';
import { accountNumber } from './account-number.ts';
import { birthDate as personBirthDate } from './birth-date.ts';
import { currentBankCode, isBankCode } from './bank-codes.ts';
import { personName } from './names.ts';
import { registrationStatuses } from './registration-status.ts';
import { timelineLabels } from './timeline.ts';
import type { TimelineStep } from './timeline.ts';

/**
 * A member ID of up to 20 digits, more than a JavaScript number can hold. On the wire it is a JSON number or a string of
 * digits; inside the program it is always a string.
 */
export const userId = z
  .string()
  .min(1)
  .max(20)
  .regex(/^(0|[1-9]\d*)$/)
  .meta({
    description:
      'The member ID, up to 20 digits. A request may have it as a number or as a string of digits; a response has it as a number. It exceeds int64 from 9223372036854775808 on.',
    examples: [10000000001],
  });

export const bankAccount = accountNumber.meta({
  description: 'The account number, 1 to 20 digits. Spaces, hyphens and dashes may stand between them.',
  examples: ['11012345678'],
});

export const bankCode = z
  .string()
  .length(3)
  .overwrite(currentBankCode)
  .refine(isBankCode)
  .meta({
    description:
      'The code of a bank or another financial institution. `005`, `010` and `021` are accepted for `081`, `011` and `088`. Institutions that are not banks are accepted for a project that is set so.',
    pattern: String.raw`^\d{3}$`,
    examples: ['003'],
  });

/** The names of an institution; they do not depend on the `bankName` that was sent. */
export const bankNames = {
  bankNameKo: z
    .string()
    .meta({ description: 'The name of the institution in Korean.', examples: ['기업은행'] }),
  bankNameEn: z.string().meta({ description: 'The name of the institution in English.', examples: ['IBK'] }),
};

export const userName = personName.meta({
  description:
    "The account holder's real name, 1 to 100 characters as people count them. White space is trimmed and folded, and invisible characters are dropped. Bidirectional controls, fillers, private-use and unassigned code points and U+FFFD are refused.",
  examples: ['강현린'],
});

export const birthDate = personBirthDate.meta({
  description:
    "The account holder's birth date, `yyyyMMdd`: not later than today in Korea, at most 120 years ago.",
  examples: ['19720407'],
});

export const registrationNumber = z
  .string()
  .length(22)
  .regex(/^[0-9A-Za-z]+$/)
  .meta({ description: 'The registration number.', examples: ['261126093000AB72CD34EF'] });

export const authNumber = z
  .string()
  .regex(/^\d{2}$/)
  .meta({ description: 'Two digits. Show them to the member, who enters them during the call.' });

export const registrationStatus = z.enum(registrationStatuses).meta({
  description: `The status of a registration.

| Status | Meaning |
| --- | --- |
| \`ARS_AUTH_IN_PROGRESS\` | The real-name check or the ARS call is under way. |
| \`ARS_AUTH_DONE\` | The member passed the ARS call; the account is being registered. |
| \`ARS_AUTH_FAILED\` | The ARS call failed, and with it the registration. |
| \`BANK_ACC_REG_FAILED\` | The registration failed, before or after the ARS call. |
| \`BANK_ACC_REGISTERED\` | The account is registered. |`,
});

export const accountInfo = z
  .object({
    accountId: z
      .string()
      .length(5)
      .meta({ description: 'Short display ID of the account.', examples: ['40213'] }),
    userName: z.string().meta({ description: 'The account holder. Masked in a plain response.' }),
    bankCode,
    bankName: z.string().meta({ description: 'The name of the bank, as it was sent.' }),
    ...bankNames,
    bankAccount: z.string().meta({ description: 'The account number. Masked in a plain response.' }),
    bankAccRegNo: registrationNumber,
  })
  .meta({ description: "A member's registered account." });

export const timelineEntry = z
  .object({
    step: z.enum(Object.keys(timelineLabels) as [TimelineStep, ...TimelineStep[]]),
    at: z.iso.datetime().meta({ description: 'When it happened, in UTC.' }),
    attempt: z.int().min(1).meta({ description: 'Counts the steps of the same kind, from 1.' }),
    outcome: z.string().meta({ description: 'The outcome: a name or a result code.' }),
    until: z.iso
      .datetime()
      .optional()
      .meta({ description: 'When a waiting registration continues, in UTC.' }),
    ko: z.string().meta({ description: 'The name of the step in Korean.' }),
    en: z.string().meta({ description: 'The name of the step in English.' }),
  })
  .meta({ description: 'One step of a registration.' });

export const listedRegistration = z
  .object({
    bankAccRegNo: registrationNumber,
    userId,
    bankCode,
    status: registrationStatus,
    code: z
      .string()
      .optional()
      .meta({ description: 'The result code. Present when the registration has ended.' }),
    createdAt: z.iso.datetime().meta({ description: 'When it was accepted, in UTC.' }),
    endedAt: z.iso
      .datetime()
      .optional()
      .meta({ description: 'When it ended, in UTC. Present when it has ended.' }),
  })
  .meta({ description: 'A registration in the list.' });

export const institution = z
  .object({
    bankCode: z
      .string()
      .meta({ description: 'The code of the institution. Send it as `bankCode`.', examples: ['003'] }),
    bankName: z.string().meta({
      description: 'The name of the institution in English, as in `bankNameEn`.',
      examples: ['IBK'],
    }),
    ...bankNames,
  })
  .meta({ description: 'A financial institution.' });

/** The schemas that have a name of their own in the OpenAPI document. */
export const namedSchemas = {
  AccountInfo: accountInfo,
  BankCode: bankCode,
  Institution: institution,
  ListedRegistration: listedRegistration,
  RegistrationNumber: registrationNumber,
  RegistrationStatus: registrationStatus,
  TimelineEntry: timelineEntry,
};
