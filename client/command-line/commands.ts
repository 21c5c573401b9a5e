import { banks, isBankCode } from '../../wire/bank-codes.ts';
import { RegistrationInProgressError } from '../errors.ts';
import { failedRegistration } from '../registration-result.ts';
import type { Access } from './access.ts';
import { UsageError } from './arguments.ts';
import type { Signature, Values } from './arguments.ts';
import type { Terminal } from './terminal.ts';
import { showResult, watch } from './watch.ts';

/** One word of the command line. */
export interface Command extends Signature {
  readonly summary: string;
  /** Does it; resolves with the exit code. */
  run(values: Values, access: Access, terminal: Terminal): Promise<number>;
}

const succeeded = 0;
const failed = 1;

/** The commands by name. */
export const commands: Readonly<Record<string, Command>> = {
  register: {
    summary: 'registers a withdrawal account',
    required: ['user', 'bank', 'account'],
    optional: ['name', 'birth', 'mobile', 'watch'],
    async run(values, access, terminal) {
      const { bank = '', mobile } = values;
      if (!isBankCode(bank))
        throw new UsageError(`There is no bank ${bank}; see: npm run km -- institutions`);
      const request = {
        ...readHolder(values, access),
        bankName: banks[bank],
        ...(mobile === undefined ? {} : { mobileNumber: mobile }),
      };
      try {
        const { bankAccRegNo, authNumber } = await access.client.register(request);
        terminal.line(`Registration ${terminal.paint('bold', bankAccRegNo)} has started.`);
        showCode(authNumber, terminal);
        if (!values.watch) return follow(bankAccRegNo, terminal, succeeded);
        return exitCodeOf(await watch(access.client, bankAccRegNo, terminal));
      } catch (error) {
        if (!(error instanceof RegistrationInProgressError)) throw error;
        terminal.line(terminal.paint('yellow', `Not started: ${error.text} (${error.code})`));
        if (error.bankAccRegNo === undefined) return failed;
        if (error.authNumber !== undefined) showCode(error.authNumber, terminal);
        return follow(error.bankAccRegNo, terminal, failed);
      }
    },
  },

  status: {
    summary: 'tells how a registration stands',
    required: ['number'],
    optional: ['watch'],
    async run({ number = '', watch: isWatching }, { client }, terminal) {
      if (isWatching) return exitCodeOf(await watch(client, number, terminal));
      try {
        const { status } = await client.inquire({ regNo: number });
        terminal.line(status);
        return succeeded;
      } catch (error) {
        const failure = failedRegistration(error);
        if (!failure) throw error;
        terminal.line(failure.status);
        showResult(failure, terminal);
        return failed;
      }
    },
  },

  auth: {
    summary: 'makes the code for the call ahead of a registration',
    required: ['user'],
    optional: [],
    async run({ user = '' }, { client }, terminal) {
      const { authNumber } = await client.issueArsCode({ userId: user });
      showCode(authNumber, terminal);
      return succeeded;
    },
  },

  valid: {
    summary: "checks that an account is a person's",
    required: ['user', 'bank', 'account'],
    optional: ['name', 'birth'],
    async run(values, access, terminal) {
      await access.client.validateAccountHolder(readHolder(values, access));
      terminal.line(terminal.paint('green', 'The account belongs to this person.'));
      return succeeded;
    },
  },

  institutions: {
    summary: 'lists the banks',
    required: [],
    optional: [],
    async run(_values, { client }, terminal) {
      const { institutions } = await client.institutions();
      for (const { bankCode, bankName } of institutions) terminal.line(`${bankCode}  ${bankName}`);
      return succeeded;
    },
  },
};

function readHolder({ user = '', bank = '', account = '', name, birth }: Values, { member }: Access) {
  const userName = name ?? member?.userName;
  const birthDate = birth ?? member?.birthDate;
  if (userName === undefined || birthDate === undefined) {
    throw new UsageError('The sandbox does not list this member: give --name and --birth as well.');
  }
  return { userId: user, bankAccount: account, bankCode: bank, userName, birthDate };
}

function showCode(authNumber: string | undefined, { line, paint }: Terminal): void {
  const code = authNumber === undefined ? 'the code that "auth" gave' : paint('bold', authNumber);
  line(`The code to key in on the phone: ${code}`);
}

function follow(registrationNumber: string, { line }: Terminal, exitCode: number): number {
  line(`Follow it: npm run km -- status --number ${registrationNumber} --watch`);
  return exitCode;
}

function exitCodeOf({ status }: { readonly status: string }): number {
  return status === 'BANK_ACC_REGISTERED' ? succeeded : failed;
}
