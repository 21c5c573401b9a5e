import { UsageError } from '../../command-line/command-line.ts';
import type { Command } from '../../command-line/command-line.ts';
import { bankNameOf, currentBankCode, isBankCode } from '../../wire/bank-codes.ts';
import { RegistrationInProgressError } from '../errors.ts';
import { failedRegistration } from '../registration-result.ts';
import type { Connection } from './connect.ts';
import type { options, OptionValues } from './options.ts';
import type { Terminal } from './terminal.ts';
import { showResult, watch } from './watch.ts';

/** What a command works with. */
interface KmContext extends Connection {
  /** How `km` is typed. */
  readonly program: string;
  readonly terminal: Terminal;
}

/** One command. */
export interface KmCommand extends Command<typeof options> {
  /** @returns the exit code */
  run(values: OptionValues, context: KmContext): Promise<number>;
}

const succeeded = 0;
const failed = 1;

/** The commands by name. */
export const commands: Readonly<Record<string, KmCommand>> = {
  register: {
    summary: 'registers a withdrawal account',
    required: ['user', 'bank', 'account'],
    optional: ['name', 'birth', 'mobile', 'watch'],
    async run(values, context) {
      const { client, program, terminal } = context;
      const { bank = '', mobile } = values;
      const bankCode = currentBankCode(bank);
      if (!isBankCode(bankCode))
        throw new UsageError(`There is no bank ${bank}; see: ${program} institutions`);
      const request = {
        ...readHolder(values, context),
        bankName: bankNameOf(bankCode),
        ...(mobile === undefined ? {} : { mobileNumber: mobile }),
      };
      try {
        const { bankAccRegNo, authNumber } = await client.register(request);
        terminal.line(`Registration ${terminal.paint('bold', bankAccRegNo)} has started.`);
        showCode(authNumber, terminal);
        if (!values.watch) return follow(bankAccRegNo, context, succeeded);
        return exitCodeOf(await watch(client, bankAccRegNo, terminal));
      } catch (error) {
        if (!(error instanceof RegistrationInProgressError)) throw error;
        terminal.line(terminal.paint('yellow', `Not started: ${error.text} (${error.code})`));
        if (error.bankAccRegNo === undefined) return failed;
        if (error.authNumber !== undefined) showCode(error.authNumber, terminal);
        return follow(error.bankAccRegNo, context, failed);
      }
    },
  },

  status: {
    summary: 'shows the status of a registration',
    required: ['number'],
    optional: ['watch'],
    async run({ number = '', watch: isWatching }, { client, terminal }) {
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
    summary: 'issues the code for the ARS call before a registration',
    required: ['user'],
    optional: [],
    async run({ user = '' }, { client, terminal }) {
      const { authNumber } = await client.issueArsCode({ userId: user });
      showCode(authNumber, terminal);
      return succeeded;
    },
  },

  valid: {
    summary: 'checks that an account belongs to a person',
    required: ['user', 'bank', 'account'],
    optional: ['name', 'birth'],
    async run(values, context) {
      const { client, terminal } = context;
      await client.validateAccountHolder(readHolder(values, context));
      terminal.line(terminal.paint('green', 'The account belongs to this person.'));
      return succeeded;
    },
  },

  institutions: {
    summary: 'lists the banks and other institutions',
    required: [],
    optional: [],
    async run(_values, { client, terminal }) {
      const { institutions } = await client.institutions();
      for (const { bankCode, bankNameEn, bankNameKo } of institutions) {
        terminal.line(`${bankCode}  ${bankNameEn}  ${bankNameKo}`);
      }
      return succeeded;
    },
  },
};

function readHolder(
  { user = '', bank = '', account = '', name, birth }: OptionValues,
  { member }: KmContext,
) {
  const userName = name ?? member?.userName;
  const birthDate = birth ?? member?.birthDate;
  if (userName === undefined || birthDate === undefined) {
    throw new UsageError('The sandbox does not list this member: give --name and --birth as well.');
  }
  return { userId: user, bankAccount: account, bankCode: bank, userName, birthDate };
}

function showCode(authNumber: string | undefined, { line, paint }: Terminal): void {
  const code = authNumber === undefined ? 'the code that "auth" gave' : paint('bold', authNumber);
  line(`The code to enter on the phone: ${code}`);
}

function follow(registrationNumber: string, { program, terminal }: KmContext, exitCode: number): number {
  terminal.line(`Follow it: ${program} status --number ${registrationNumber} --watch`);
  return exitCode;
}

function exitCodeOf({ status }: { readonly status: string }): number {
  return status === 'BANK_ACC_REGISTERED' ? succeeded : failed;
}
