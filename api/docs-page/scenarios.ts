import { codes } from '../../wire/result-codes.ts';
import type { ResultCode } from '../../wire/result-codes.ts';

/** Test data: a registration whose account or phone number selects how the simulator behaves. */
export interface Scenario {
  readonly title: string;
  readonly description: string;
  /** The result code at the end. Absent when a person decides it on the phone. */
  readonly endsWith?: ResultCode;
  /** The last four digits of the account number. */
  readonly accountEnding?: string;
  /** The last four digits of the mobile number. Absent: the request has no `mobileNumber`. */
  readonly mobileEnding?: string;
  /** Whether a second registration is sent while the first one runs. */
  readonly isSentTwice?: boolean;
  /** Whether a person answers the simulated phone. */
  readonly isAnsweredByPerson?: boolean;
}

/** Scenarios under one heading. */
export interface ScenarioGroup {
  readonly title: string;
  readonly scenarios: readonly Scenario[];
}

const passing = '5678';

/** A card for every behaviour of the simulator. */
export const scenarioGroups: readonly ScenarioGroup[] = [
  {
    title: 'Start here',
    scenarios: [
      {
        title: 'Success',
        description: 'The call passes and the account is registered.',
        endsWith: codes.SUCCESS,
        mobileEnding: passing,
      },
      {
        title: 'Success without the optional parameter',
        description: 'No mobileNumber: the call goes to the member’s stored number.',
        endsWith: codes.SUCCESS,
      },
      {
        title: 'Already in progress',
        description: `Sends two requests. The second is refused with ${codes.OPERATION_IN_PROGRESS}, the first continues.`,
        endsWith: codes.SUCCESS,
        mobileEnding: '0006',
        isSentTwice: true,
      },
      {
        title: 'Answer the phone yourself',
        description: 'Open the simulated phone, answer the call and enter the code shown here.',
        mobileEnding: '0008',
        isAnsweredByPerson: true,
      },
    ],
  },
  {
    title: 'What the ARS call does',
    scenarios: [
      phone('0001', 'No answer', 'Nobody answers any of the calls.', codes.ARS_AUTH_FAILED),
      phone('0002', 'No answer, then passes', 'The second call is answered.', codes.SUCCESS),
      phone('0003', 'Wrong code', 'The member enters a wrong code.', codes.ARS_AUTH_FAILED),
      phone('0004', 'Hung up', 'The member hangs up.', codes.ARS_AUTH_FAILED),
      phone('0005', 'Callback three times', 'The gateway reports the outcome three times.', codes.SUCCESS),
      phone('0006', 'Callback lost', 'The callback never arrives; the service polls instead.', codes.SUCCESS),
      phone('0007', 'Callback early', 'The outcome arrives before the call is confirmed.', codes.SUCCESS),
      phone(
        '0009',
        'No outcome',
        'The gateway never learns how the call ended. Takes a while.',
        codes.ARS_AUTH_FAILED,
      ),
      phone(
        '0020',
        'Recording lost',
        'The recording never becomes available, so nothing is registered.',
        codes.EVIDENCE_NOT_SECURED,
      ),
      phone('0091', 'Busy', 'The line is busy at every call.', codes.ARS_AUTH_FAILED),
      phone('0092', 'Rejected', 'The member rejects the call.', codes.ARS_AUTH_FAILED),
      phone('0093', 'No input', 'The member enters nothing.', codes.ARS_AUTH_FAILED),
      phone('0094', 'Not in service', 'The number does not exist.', codes.ARS_AUTH_FAILED),
      phone('0095', 'Carrier error', 'The carrier cannot connect the call.', codes.ARS_AUTH_FAILED),
    ],
  },
  {
    title: 'What the bank and the payment gateway do',
    scenarios: [
      account(
        '9001',
        'Wrong holder name',
        'The account belongs to somebody else.',
        codes.HOLDER_NAME_MISMATCH,
      ),
      account(
        '9098',
        'Wrong birth date',
        'The holder’s birth date differs.',
        codes.HOLDER_BIRTH_DATE_MISMATCH,
      ),
      account('9091', 'No such account', 'The bank has no account with this number.', codes.NO_SUCH_ACCOUNT),
      account('9092', 'Closed account', 'The account has been closed.', codes.ACCOUNT_CLOSED),
      account('9093', 'Dormant account', 'The bank has marked the account dormant.', codes.ACCOUNT_DORMANT),
      account(
        '9094',
        'Wrong kind of account',
        'It does not allow withdrawals by transfer.',
        codes.WRONG_ACCOUNT_KIND,
      ),
      account('9095', 'Holder deceased', 'The bank has blocked the account.', codes.HOLDER_DECEASED),
      account(
        '9096',
        'Lost or stolen',
        'The account has been reported lost or stolen.',
        codes.ACCOUNT_REPORTED_LOST,
      ),
      account('9097', 'Seized account', 'The account is under a seizure order.', codes.ACCOUNT_SEIZED),
      account(
        '9002',
        'Lifetime account',
        'An alias number, refused at registration.',
        codes.LIFETIME_ACCOUNT,
      ),
      account('9003', 'Restricted account', 'Refused at registration.', codes.RESTRICTED_ACCOUNT),
      account(
        '9004',
        'Response lost',
        'Registered, but the connection breaks. It is not registered twice.',
        codes.SUCCESS,
      ),
      account('9005', 'Request lost', 'The first request has no effect and gets no response.', codes.SUCCESS),
      account('9006', 'Result later', 'Accepted at first; the result follows after 3 s.', codes.SUCCESS),
      account('9007', 'Unavailable twice', 'Two errors, then the account is registered.', codes.SUCCESS),
      account(
        '9008',
        'Seen late',
        'Registered without a response; the inquiry finds it late.',
        codes.SUCCESS,
      ),
    ],
  },
];

/** The part of a registration request that depends on the scenario. */
export function scenarioRequest({ accountEnding = passing, mobileEnding }: Scenario) {
  return {
    bankAccount: `1101234${accountEnding}`,
    bankCode: '003',
    bankName: 'IBK',
    ...(mobileEnding !== undefined && { mobileNumber: `0101234${mobileEnding}` }),
  };
}

function phone(mobileEnding: string, title: string, description: string, endsWith: ResultCode): Scenario {
  return { title, description, endsWith, mobileEnding };
}

function account(accountEnding: string, title: string, description: string, endsWith: ResultCode): Scenario {
  return { title, description, endsWith, accountEnding, mobileEnding: passing };
}
