import { keyOf, succeeded } from './command.ts';
import type { KmCommand } from './command.ts';
import { codeLine, readHolder } from './holder.ts';

/** The commands about members, accounts and banks, by name. */
export const accountCommands: Readonly<Record<string, KmCommand>> = {
  auth: {
    summary: 'issues the code for the ARS call before a registration',
    required: ['user'],
    optional: [],
    async run({ user = '' }, { client, terminal }) {
      const answer = await client.issueArsCode({ userId: user });
      terminal.show(answer, codeLine(answer.authNumber, terminal));
      return succeeded;
    },
  },

  valid: {
    summary: 'checks that an account belongs to a person',
    required: ['user', 'bank', 'account'],
    optional: ['name', 'birth'],
    async run(values, context) {
      const { client, terminal } = context;
      const answer = await client.validateAccountHolder(readHolder(values, context));
      terminal.show(answer, terminal.paint('green', 'The account belongs to this person.'));
      return succeeded;
    },
  },

  info: {
    summary: "shows the member's registered account",
    required: ['user'],
    optional: [],
    async run({ user = '' }, { client, terminal }) {
      const answer = await client.account({ userId: user });
      const { bankCode, bankNameEn, bankNameKo, bankAccount, userName, bankAccRegNo } = answer.accountInfo;
      terminal.show(
        answer,
        `Account:       ${bankAccount}`,
        `Bank:          ${bankCode}  ${bankNameEn}  ${bankNameKo}`,
        `Holder:        ${userName}`,
        `Registration:  ${bankAccRegNo}`,
      );
      return succeeded;
    },
  },

  delete: {
    summary: "deletes the member's registered account",
    required: ['user'],
    optional: ['idempotency-key'],
    async run(values, { client, terminal }) {
      const answer = await client.deleteAccount({ userId: values.user ?? '' }, keyOf(values));
      terminal.show(answer, terminal.paint('green', 'Deleted.'));
      return succeeded;
    },
  },

  institutions: {
    summary: 'lists the banks and other institutions',
    required: [],
    optional: [],
    async run(_values, { client, terminal }) {
      const answer = await client.institutions();
      const lines = answer.institutions.map(
        ({ bankCode, bankNameEn, bankNameKo }) => `${bankCode}  ${bankNameEn}  ${bankNameKo}`,
      );
      terminal.show(answer, ...lines);
      return succeeded;
    },
  },
};
