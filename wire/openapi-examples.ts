import { z } from 'zod';
import { bankCodes, institutions } from './bank-codes.ts';
import { failureReasonOf } from './failure-reason.ts';
import { maskAccountNumber, maskName } from './masking.ts';
import type { Operation } from './operation.ts';
import { codes, resultCodes, troubles } from './result-codes.ts';
import type { ResultCode } from './result-codes.ts';
import { timelineLabels } from './timeline.ts';
import type { TimelineStep } from './timeline.ts';

/** An example of a request or response. */
interface Example {
  readonly summary: string;
  readonly value: Readonly<Record<string, unknown>>;
}

type Examples = Readonly<Record<string, Example>>;

const regNo = '261126093000AB72CD34EF';
const authNumber = '47';
const userId = 10000000001;
const bankAccount = '11012345678';
const userName = '강현린';
const ofBank = { bankCode: '003', bankName: 'IBK', bankNameKo: '기업은행', bankNameEn: 'IBK' };
const account = { accountId: '40213', userName, ...ofBank, bankAccount, bankAccRegNo: regNo };
const masked = { userName: maskName(userName), bankAccount: maskAccountNumber(bankAccount) };

/**
 * The responses to the requests of {@link requestExamples}, by operation. `test/docs/openapi-examples.test.ts` sends the
 * requests and compares these with what the service answers.
 */
export const responseExamples: Readonly<Record<string, Examples>> = {
  validateAccountHolder: { success: succeeded('The account belongs to the person') },
  issueArsCode: { success: succeeded('A code for the call', { authNumber }) },
  registerAccount: {
    withCode: succeeded('Accepted, with a code for the call', { bankAccRegNo: regNo, authNumber }),
    withoutCode: succeeded('Accepted, with the code from ars/auth', { bankAccRegNo: regNo }),
  },
  inquireRegistrationStatus: {
    inProgress: succeeded('In progress', { status: 'ARS_AUTH_IN_PROGRESS' }),
    registered: succeeded('Registered', { status: 'BANK_ACC_REGISTERED' }),
  },
  cancelRegistration: { success: succeeded('Cancelled') },
  getTimeline: {
    registered: succeeded('Registered', {
      steps: [
        step('ACCEPTED', '00.102', 'ACCEPTED'),
        step('ACCOUNT_HOLDER_CHECKED', '00.215', 'MATCHED'),
        step('ARS_CALL_PLACED', '00.271', 'PLACED'),
        step('ARS_CALL_ENDED', '21.604', 'PASSED'),
        step('CONSENT_EVIDENCE_STORED', '21.687', 'STORED'),
        step('REGISTRATION_ATTEMPTED', '21.802', 'REGISTERED'),
        step('ENDED', '21.839', '000_000'),
      ],
    }),
  },
  listRegistrations: {
    success: succeeded('One registration', {
      registrations: [
        {
          bankAccRegNo: regNo,
          userId,
          bankCode: '003',
          status: 'BANK_ACC_REGISTERED',
          code: '000_000',
          createdAt: '2026-11-26T09:30:00.102Z',
          endedAt: '2026-11-26T09:30:21.839Z',
        },
      ],
    }),
  },
  getAccount: {
    plain: succeeded('The response to a plain request', { userId, accountInfo: { ...account, ...masked } }),
    decrypted: succeeded('The response to an encrypted request, decrypted', {
      userId,
      accountInfo: account,
    }),
  },
  inquireAccount: {
    notForAutoCharge: succeeded('Not registered for auto charge', {
      ...ofBank,
      bankAccount: masked.bankAccount,
      isAutoRcgAccRegAllowed: true,
    }),
    forAutoCharge: succeeded('Registered for auto charge', {
      ...ofBank,
      bankAccount: masked.bankAccount,
      bankAccForAutoRcg: masked.bankAccount,
      isAutoRcgAccRegAllowed: false,
    }),
  },
  registerForAutoCharge: { decrypted: succeeded('The response, decrypted') },
  deleteAccount: { success: succeeded('Deleted') },
  listInstitutions: {
    banks: succeeded('For a project that accepts banks only', {
      institutions: bankCodes
        .filter((code) => institutions[code].kind === 'BANK')
        .map((bankCode) => {
          const { ko, en } = institutions[bankCode];
          return { bankCode, bankName: en, bankNameKo: ko, bankNameEn: en };
        }),
    }),
  },
};

/** Two example requests: the required fields, and with them every optional field that has an example. */
export function requestExamples({ shape }: z.ZodObject): Examples {
  const fields = Object.entries(shape).map(([name, schema]) => ({
    name,
    example: (z.globalRegistry.get(schema as z.ZodType)?.['examples'] as readonly unknown[] | undefined)?.[0],
    isRequired: !(schema as z.ZodType).safeParse(undefined).success,
  }));
  const valueOf = (chosen: typeof fields) =>
    Object.fromEntries(chosen.map(({ name, example }) => [name, example]));
  const withExample = fields.filter(({ isRequired, example }) => isRequired || example !== undefined);
  const required = withExample.filter(({ isRequired }) => isRequired);
  return {
    required: { summary: 'Required parameters', value: valueOf(required) },
    ...(withExample.length > required.length && {
      optional: { summary: 'With optional parameters', value: valueOf(withExample) },
    }),
  };
}

/** What the texts of these codes name: a field, or the kind of trouble. */
const named: Partial<Record<ResultCode, string>> = {
  [codes.INVALID_VALUE]: 'X-KM-Time-Zone',
  [codes.MISSING_VALUE]: 'X-KM-Access-Key',
  [codes.WRONG_LENGTH]: 'X-KM-User-AspId',
  [codes.DECRYPTION_FAILED]: troubles.KEY,
  [codes.NOT_A_JSON_OBJECT]: troubles.MALFORMED,
  [codes.UNSUPPORTED_CONTENT_TYPE]: troubles.OTHER_TYPE,
};

/** A refusal with this code, with the fields beside `response`. */
export function refusalExample(code: ResultCode, payload: object = {}): Example {
  const { text } = resultCodes[code];
  const description = named[code] ? `${text} ${named[code]}` : text;
  return { summary: `${code} ${text}`, value: { ...payload, response: { code, description } } };
}

/** The fields beside `response` in a refusal of `operation` with this code; undefined if there are none. */
export function refusalPayload({ name }: Operation, code: ResultCode): object | undefined {
  if (code === codes.OPERATION_IN_PROGRESS) return { bankAccRegNo: regNo, authNumber };
  if (name !== 'inquireRegistrationStatus' || code.startsWith('000') || code === codes.REGISTRATION_NOT_FOUND)
    return undefined;
  const status = code === codes.ARS_AUTH_FAILED ? 'ARS_AUTH_FAILED' : 'BANK_ACC_REG_FAILED';
  return { status, ...failureReasonOf(code, [{ step: 'ARS_CALL_ENDED', outcome: 'NO_ANSWER' }]) };
}

function succeeded(summary: string, payload: object = {}): Example {
  return {
    summary,
    value: { ...payload, response: { code: codes.SUCCESS, description: resultCodes[codes.SUCCESS].text } },
  };
}

function step(name: TimelineStep, seconds: string, outcome: string) {
  return { step: name, at: `2026-11-26T09:30:${seconds}Z`, attempt: 1, outcome, ...timelineLabels[name] };
}
