import { registrationTransitions } from '../../wire/registration-status.ts';
import type { RegistrationStatus } from '../../wire/registration-status.ts';
import type { KmClient } from '../km-client.ts';
import type { RegistrationResult } from '../registration-result.ts';
import type { Terminal } from './terminal.ts';

/** What each status means. */
const meanings: Readonly<Record<RegistrationStatus, string>> = {
  ARS_AUTH_IN_PROGRESS: 'checking the holder and calling the member',
  ARS_AUTH_DONE: 'the call succeeded; registering the account',
  ARS_AUTH_FAILED: 'the call failed',
  BANK_ACC_REG_FAILED: 'the account was not registered',
  BANK_ACC_REGISTERED: 'the account is ready to use',
};

/** Shows every status change with the seconds elapsed, until the registration has ended. */
export async function watch(
  client: KmClient,
  registrationNumber: string,
  terminal: Terminal,
): Promise<RegistrationResult> {
  const startedAt = performance.now();
  const elapsed = () => `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
  const show = (status: RegistrationStatus) => {
    const meaning = terminal.paint('dim', meanings[status]);
    const line = `${elapsed().padStart(8)}  ${status.padEnd(20)}  ${meaning}`;
    // The last status is part of the result, which follows.
    if (registrationTransitions[status].length > 0) terminal.show({ status }, line);
    else terminal.line(line);
  };
  const clock = terminal.isLive
    ? setInterval(() => terminal.transient(terminal.paint('dim', `${elapsed().padStart(8)}  ...`)), 100)
    : undefined;
  try {
    const result = await client.waitUntilDone(registrationNumber, { intervalMs: 500, onStatus: show });
    showResult(result, terminal, ` after ${elapsed()}`);
    return result;
  } finally {
    clearInterval(clock);
  }
}

/** Shows how the registration ended. @param when such as ` after 3.2 s` */
export function showResult(result: RegistrationResult, { show, paint }: Terminal, when = ''): void {
  if (result.status === 'BANK_ACC_REGISTERED') return show(result, paint('green', `Registered${when}.`));
  const advice = result.retryable ? ' Registering again may help.' : '';
  const named = result.reason === undefined ? result.code : `${result.code} ${result.reason}`;
  show(result, `${paint('red', `Failed${when}:`)} ${result.text} (${named})${advice}`);
}
