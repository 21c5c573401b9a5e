import type { ResultCode } from '../../wire/result-codes.ts';

/** Test data: a registration whose account or phone number makes the simulator behave in a certain way. */
export interface Scenario {
  readonly title: string;
  readonly description: string;
  /** The code it ends with; absent where a person decides. */
  readonly endsWith?: ResultCode;
  /** The last four digits of the account number. */
  readonly accountEnding?: string;
  /** The last four digits of the mobile number; without them, the optional parameter is left out. */
  readonly mobileEnding?: string;
  /** A second registration is sent while the first one runs. */
  readonly isSentTwice?: boolean;
  /** A person answers the phone. */
  readonly isAnsweredByPerson?: boolean;
}

/** Scenarios under one heading. */
export interface ScenarioGroup {
  readonly title: string;
  readonly scenarios: readonly Scenario[];
}

const passing = '5678';

/** All of the simulator's conduct. */
export const scenarioGroups: readonly ScenarioGroup[] = [
  {
    title: 'Start here',
    scenarios: [
      {
        title: 'Success',
        description: 'The call passes and the account is registered.',
        endsWith: '000_000',
        mobileEnding: passing,
      },
      {
        title: 'Success without the optional parameter',
        description: 'No mobileNumber: the call goes to the member’s stored number.',
        endsWith: '000_000',
      },
      {
        title: 'Already in progress',
        description: 'Sent twice: the second one is refused with 002_013, the first one goes on.',
        endsWith: '000_000',
        mobileEnding: '0006',
        isSentTwice: true,
      },
      {
        title: 'Answer the phone yourself',
        description: 'Opens a phone that rings; key in the code shown here.',
        mobileEnding: '0008',
        isAnsweredByPerson: true,
      },
    ],
  },
  {
    title: 'What the ARS call does',
    scenarios: [
      phone('0001', 'No answer', 'Nobody answers, however often.', '002_014'),
      phone('0002', 'No answer, then passes', 'The second call is answered.', '000_000'),
      phone('0003', 'Wrong code', 'Another code is keyed in.', '002_014'),
      phone('0004', 'Hung up', 'The member hangs up.', '002_014'),
      phone('0005', 'Callback three times', 'The outcome is delivered three times.', '000_000'),
      phone('0006', 'Callback lost', 'No callback: the service asks by itself.', '000_000'),
      phone('0007', 'Callback early', 'The outcome comes before the call is confirmed.', '000_000'),
      phone('0009', 'No outcome', 'The gateway never learns how the call ended; takes a while.', '002_014'),
      phone('0020', 'Recording lost', 'The recording never appears: nothing is registered.', '002_910'),
      phone('0091', 'Busy', 'The line is busy, again and again.', '002_014'),
      phone('0092', 'Rejected', 'The member declines the call.', '002_014'),
      phone('0093', 'No input', 'Nothing is keyed in.', '002_014'),
      phone('0094', 'Not in service', 'The number does not exist.', '002_014'),
      phone('0095', 'Carrier error', 'The carrier cannot connect the call.', '002_014'),
    ],
  },
  {
    title: 'What the bank and the payment gateway do',
    scenarios: [
      account('9001', 'Another name', 'The account is somebody else’s.', '002_901'),
      account('9098', 'Another birth date', 'The holder’s birth date differs.', '002_902'),
      account('9091', 'No such account', 'The bank does not know it.', '002_903'),
      account('9092', 'Closed account', 'The account was closed.', '002_904'),
      account('9093', 'Dormant account', 'The bank put it to rest.', '002_905'),
      account('9094', 'Wrong kind of account', 'It allows no withdrawal by transfer.', '002_906'),
      account('9095', 'Holder deceased', 'The bank blocks the account.', '002_907'),
      account('9096', 'Accident reported', 'Reported as lost or stolen.', '002_908'),
      account('9097', 'Seized account', 'The account is under seizure.', '002_909'),
      account('9002', 'Lifetime account', 'An alias number, refused at registration.', '002_015'),
      account('9003', 'Restricted account', 'Refused at registration.', '002_016'),
      account(
        '9004',
        'Answer lost',
        'Registered, but the connection is cut: never registered twice.',
        '000_000',
      ),
      account('9005', 'Request lost', 'Neither registered nor answered at first.', '000_000'),
      account('9006', 'Result later', 'Accepted; the result comes after 3 s.', '000_000'),
      account('9007', 'Unavailable twice', 'Two errors, then it registers.', '000_000'),
    ],
  },
];

/** The part of a registration request that a scenario decides. */
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
