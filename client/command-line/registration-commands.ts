import { readNumber, UsageError } from '../../command-line/command-line.ts';
import { bankNameOf, currentBankCode, isBankCode } from '../../wire/bank-codes.ts';
import { registrationStatuses } from '../../wire/registration-status.ts';
import type { RegistrationStatus } from '../../wire/registration-status.ts';
import { RegistrationInProgressError } from '../errors.ts';
import { failedRegistration } from '../registration-result.ts';
import { errorData, failed, keyOf, succeeded } from './command.ts';
import type { KmCommand, KmContext } from './command.ts';
import { codeLine, readHolder } from './holder.ts';
import { showResult, watch } from './watch.ts';

/** The commands about registrations, by name. */
export const registrationCommands: Readonly<Record<string, KmCommand>> = {
  register: {
    summary: 'registers a withdrawal account',
    required: ['user', 'bank', 'account'],
    optional: ['name', 'birth', 'mobile', 'watch', 'idempotency-key'],
    async run(values, context) {
      const { client, terminal, callOf } = context;
      const { bank = '', mobile } = values;
      const bankCode = currentBankCode(bank);
      if (!isBankCode(bankCode)) {
        throw new UsageError(`There is no bank ${bank}; see: ${callOf('institutions')}`);
      }
      const request = {
        ...readHolder(values, context),
        bankName: bankNameOf(bankCode),
        ...(mobile === undefined ? {} : { mobileNumber: mobile }),
      };
      try {
        const accepted = await client.register(request, keyOf(values));
        const { bankAccRegNo, authNumber } = accepted;
        const started = `Registration ${terminal.paint('bold', bankAccRegNo)} has started.`;
        terminal.show(accepted, started, codeLine(authNumber, terminal));
        if (values.watch) return exitCodeOf(await watch(client, bankAccRegNo, terminal));
        terminal.line(followLine(bankAccRegNo, context));
        return succeeded;
      } catch (error) {
        if (!(error instanceof RegistrationInProgressError)) throw error;
        const { code, text, bankAccRegNo, authNumber } = error;
        const refused = terminal.paint('yellow', `Not started: ${text} (${code})`);
        terminal.show({ error: errorData(error) }, refused);
        if (authNumber !== undefined) terminal.line(codeLine(authNumber, terminal));
        if (bankAccRegNo !== undefined) terminal.line(followLine(bankAccRegNo, context));
        return failed;
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
        const answer = await client.inquire({ regNo: number });
        terminal.show(answer, answer.status);
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

  timeline: {
    summary: 'shows what has happened to a registration',
    required: ['number'],
    optional: [],
    async run({ number = '' }, { client, terminal }) {
      const answer = await client.timeline({ regNo: number });
      const lines = answer.steps.map(({ at, en, outcome, attempt, until }) => {
        const repeated = attempt > 1 ? ` (${attempt})` : '';
        return `${at}  ${en}${repeated}: ${outcome}${until === undefined ? '' : `, until ${until}`}`;
      });
      terminal.show(answer, ...lines);
      return succeeded;
    },
  },

  cancel: {
    summary: 'cancels a registration',
    required: ['number'],
    optional: ['idempotency-key'],
    async run(values, { client, terminal }) {
      const answer = await client.cancel({ regNo: values.number ?? '' }, keyOf(values));
      terminal.show(answer, terminal.paint('green', 'Cancelled.'));
      return succeeded;
    },
  },

  list: {
    summary: 'lists registrations, newest first',
    required: [],
    optional: ['user', 'status', 'from', 'to', 'limit', 'cursor'],
    async run({ user, status, from, to, limit, cursor }, { client, terminal, callOf }) {
      const answer = await client.list({
        ...(user !== undefined && { userId: user }),
        status: readStatus(status),
        from,
        to,
        cursor,
        limit: readNumber('limit', limit, 1, 100),
      });
      const lines = answer.registrations.map(
        (one) =>
          `${one.createdAt}  ${one.bankAccRegNo}  ${one.userId}  ${one.bankCode}  ${one.status}  ${one.code ?? ''}`,
      );
      terminal.show(answer, ...(lines.length > 0 ? lines.map((line) => line.trimEnd()) : ['None.']));
      const { nextCursor } = answer;
      if (nextCursor === undefined) return succeeded;
      const filters = Object.entries({ user, status, from, to, limit, cursor: nextCursor });
      const given = filters.filter(([, value]) => value !== undefined);
      terminal.line(
        `More: ${callOf(['list', ...given.map(([name, value]) => `--${name} ${value}`)].join(' '))}`,
      );
      return succeeded;
    },
  },
};

function readStatus(text: string | undefined): RegistrationStatus | undefined {
  const status = registrationStatuses.find((each) => each === text);
  if (text !== undefined && status === undefined) {
    throw new UsageError(`--status must be one of ${registrationStatuses.join(', ')}.`);
  }
  return status;
}

function followLine(registrationNumber: string, { callOf }: KmContext): string {
  return `Follow it: ${callOf(`status --number ${registrationNumber} --watch`)}`;
}

function exitCodeOf({ status }: { readonly status: string }): number {
  return status === 'BANK_ACC_REGISTERED' ? succeeded : failed;
}
