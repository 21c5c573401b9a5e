import { UsageError } from '../../command-line/command-line.ts';
import type { KmContext } from './command.ts';
import type { OptionValues } from './options.ts';
import type { Terminal } from './terminal.ts';

/** Reads the account and its holder. @throws {UsageError} when the holder's name or birth date is missing */
export function readHolder(
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

/** The line with the code that the member enters. */
export function codeLine(authNumber: string | undefined, { paint }: Terminal): string {
  const code = authNumber === undefined ? 'the code that "auth" gave' : paint('bold', authNumber);
  return `The code to enter on the phone: ${code}`;
}
