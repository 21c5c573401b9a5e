import { currentConsentScript } from '../contract/consent-scripts.ts';
import { resultCodeOfRefusal } from '../contract/refusal-reasons.ts';
import type { RegistrationEnd } from '../contract/registration.ts';
import { isUniqueViolation } from '../database/failed-query.ts';
import { DatabaseRestored } from '../database/incarnations.ts';
import { adoptedEnd } from '../database/ledger.ts';
import type { RegistrationFinding } from '../database/ledger.ts';
import type { Member } from '../database/members.ts';
import type { RegistrationOutline } from '../database/registrations.ts';
import { PaymentGatewayUnavailable } from '../payment-gateway/payment-gateway.ts';
import type { LedgerEntry, PaymentGateway } from '../payment-gateway/payment-gateway.ts';
import { fetchAcceptedRecording, UnacceptableRecording } from '../payment-gateway/recording.ts';
import { afterCommit } from '../runs/after-commit.ts';
import { bankNameOf } from '../wire/bank-codes.ts';
import type { CommandContext } from './command.ts';
import type { OptionValues } from './options.ts';
import { Refused } from './refused.ts';
import { readEnd, readRemovals, readRuns } from './remembered-runs.ts';
import type { RememberedRun } from './remembered-runs.ts';
import { alignColumns } from './table.ts';

/** How far the clocks of database, Temporal and operator may differ, in ms; also covers what was closing at that time. */
const margin = 60 * 60 * 1_000;

/** How many entries of the payment gateway's ledger are read at once. */
const ledgerPageSize = 500;

/** How long the payment gateway may take to answer, in ms. */
const answerTimeout = 30_000;

/** What was done about a registration, and what an operator has to decide. */
interface Line {
  readonly registrationNumber: string;
  readonly userId: string;
  readonly result: string;
  readonly decide?: string | undefined;
}

type Parts = CommandContext & { readonly paymentGateway: PaymentGateway; readonly isDryRun: boolean };

/**
 * Brings back what a restore of the database lost, from Temporal's runs and the payment gateway's ledger. To be run after
 * `restored`, before workers and API start. Idempotent.
 */
export function adopt(values: OptionValues) {
  const isDryRun = values['dry-run'] === true;

  return async (context: CommandContext): Promise<void> => {
    const restoredTo = await readRestoreTime(context);
    if (!restoredTo) return context.print('No restore has lost anything, so there is nothing to adopt.');
    const parts = { ...context, paymentGateway: context.openPaymentGateway(), isDryRun };
    const lines = await adoptAll(parts, new Date(restoredTo.getTime() - margin)).catch((error: unknown) => {
      if (!(error instanceof PaymentGatewayUnavailable)) throw error;
      throw new Refused('The payment gateway does not answer. Repeat the command: what is done stays done.');
    });
    report(parts, lines);
    if (!isDryRun) await context.act({}, (acting) => acting.incarnations.recordAdoption());
  };
}

async function readRestoreTime({ stores }: CommandContext): Promise<Date | undefined> {
  try {
    return (await stores.incarnations.requireKnown())?.restoredTo;
  } catch (error) {
    if (error instanceof DatabaseRestored) throw new Refused(error.message);
    throw error;
  }
}

async function adoptAll(parts: Parts, since: Date): Promise<Line[]> {
  const { act, stores, isDryRun, reportProgress } = parts;
  const runs = await readRuns(parts, since);
  const numbers = runs.map(({ registrationNumber }) => registrationNumber);
  const known = await stores.registrations.outline(numbers);
  const remembered = new Set(numbers);
  const lostEntries = await readLostEntries(parts);
  const lines: Line[] = [];
  const add = (line: Line | undefined) => line && lines.push(line);

  // The oldest first, so that a member's accounts replace each other as they did.
  for (const [index, run] of runs.entries()) {
    add(await adoptRun(parts, run, known.get(run.registrationNumber), lostEntries));
    if ((index + 1) % 1_000 === 0) reportProgress(`${index + 1} of ${runs.length} registrations done`);
  }
  for (const [registrationNumber, deletedAt] of await readRemovals(parts, since)) {
    const account = await stores.accounts.findActiveOf(registrationNumber);
    if (!account) continue;
    if (!isDryRun)
      await act({ registrationNumber, details: { deletedAt } }, (acting) =>
        acting.accounts.deleteAgain(account, deletedAt),
      );
    add({ registrationNumber, userId: account.userId, result: 'account deleted' });
  }
  const adopted = await stores.registrations.outline(isDryRun ? [] : numbers);
  for (const registrationNumber of numbers) {
    if (adopted.get(registrationNumber)?.lacksEvidence)
      add(await bringBackEvidence(parts, registrationNumber));
  }
  for (const { reference: registrationNumber, memberId: userId, state } of lostEntries.values()) {
    if (state === 'REMOVED' || remembered.has(registrationNumber)) continue;
    const decide = 'registered at the payment gateway, but no run remembers it';
    add({ registrationNumber, userId, result: 'unknown', decide });
  }
  return lines;
}

/** @returns undefined when nothing of it is lost, or its run goes on with it */
async function adoptRun(
  parts: Parts,
  run: RememberedRun,
  known: RegistrationOutline | undefined,
  lostEntries: ReadonlyMap<string, LedgerEntry>,
): Promise<Line | undefined> {
  const { act, stores, paymentGateway, isDryRun } = parts;
  const { registrationNumber, userId } = run;
  if (known?.isEnded) return undefined;
  const told = await readEnd(parts, run);
  if (known && !told) return known.isBegun ? undefined : await beginAgain(parts, run);
  const member = await stores.members.find(run.aspId, userId);
  if (!known && !member) {
    const decide = 'the database has no such member: add the member, then adopt again';
    return { registrationNumber, userId, result: 'not adopted', decide };
  }
  const policyId = known?.policyId ?? (await stores.policies.keep(parts.policy));
  const policy = await stores.policies.get(policyId);
  const finding = await inquire(paymentGateway, registrationNumber);
  const passedCall = await findPassedCall(paymentGateway, registrationNumber, policy.effects.maxAttempts);
  const end = adoptedEnd(told, finding);
  const line = { registrationNumber, userId, ...describe(end, told, finding, known === undefined) };
  if (isDryRun) return line;

  const lostRow = known || !member ? undefined : await rowOfLost(parts, run, member, policyId, lostEntries);
  try {
    const remembered = { told, finding, passedCall };
    const about = { registrationNumber, details: { told, finding, isLost: lostRow !== undefined } };
    const committed = await act(about, (acting) =>
      acting.ledger.adopt(registrationNumber, remembered, policy, lostRow),
    );
    await afterCommit(parts, committed);
    return line;
  } catch (error) {
    if (!isUniqueViolation(error, 'one_open_registration_per_member')) throw error;
    return { registrationNumber, userId, ...isBusy };
  }
}

const isBusy = {
  result: 'not adopted',
  decide: 'another registration of the member is open: adopt again when it has ended',
};

/**
 * The backup knows the number, but not that its run had begun: without this the sweep would withdraw a number that was
 * handed out. A run that completed without an end was that of a withdrawn number.
 */
async function beginAgain(
  { act, isDryRun }: Parts,
  { registrationNumber, userId, executions }: RememberedRun,
): Promise<Line | undefined> {
  if (executions.every(({ status }) => status.name === 'COMPLETED')) return undefined;
  const line = { registrationNumber, userId, result: 'continues' };
  if (isDryRun) return line;
  const begun = await act(
    (outcome: string) => (outcome === 'BEGUN' ? { registrationNumber, details: { begunAgain: true } } : []),
    (acting) => acting.registrations.begin(registrationNumber),
  );
  return begun === 'MEMBER_BUSY' ? { ...line, ...isBusy } : line;
}

function describe(
  end: RegistrationEnd | undefined,
  told: RegistrationEnd | undefined,
  finding: RegistrationFinding,
  isLost: boolean,
): Pick<Line, 'result' | 'decide'> {
  const lost = isLost ? '; holder, birth date, phone and code are lost' : '';
  if (end) return { result: `ended with ${end.resultCode}${lost}` };
  const denied = told
    ? `the client was told ${told.status}, the payment gateway says ${finding.state}`
    : undefined;
  return {
    result: `${isLost ? 'in REVIEW' : 'continues'}${lost}`,
    decide: denied,
  };
}

async function inquire(
  paymentGateway: PaymentGateway,
  registrationNumber: string,
): Promise<RegistrationFinding> {
  const signal = AbortSignal.timeout(answerTimeout);
  const answer = await paymentGateway.inquireRegistration(registrationNumber, signal);
  return answer.state === 'REFUSED'
    ? { state: 'REFUSED', resultCode: resultCodeOfRefusal[answer.reason] }
    : answer;
}

async function findPassedCall(paymentGateway: PaymentGateway, reference: string, maxAttempts: number) {
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const signal = AbortSignal.timeout(answerTimeout);
    const answer = await paymentGateway.inquireArsCall({ reference, attempt }, signal);
    if (answer.state === 'ENDED' && answer.outcome === 'PASSED') return { attempt, callId: answer.callId };
  }
  return undefined;
}

async function rowOfLost(
  { stores }: Parts,
  { registrationNumber, startedAt, correlationId, bankCode: bankOfRun }: RememberedRun,
  member: Member,
  policyId: string,
  lostEntries: ReadonlyMap<string, LedgerEntry>,
) {
  const entry = lostEntries.get(registrationNumber);
  const bankCode = entry?.bankCode ?? bankOfRun;
  // Where the holder must be the member, the real-name check has compared them.
  const project = await stores.projects.find(member.aspId);
  const holder = project?.comparesMember ? member.facts : { userName: '', birthDate: '' };
  return stores.registrations.rowOfLost(member, {
    registrationNumber,
    bankCode,
    correlationId: correlationId ?? null,
    policyId,
    startedAt,
    details: {
      accountNumber: entry?.accountNumber ?? '',
      bankName: bankNameOf(bankCode),
      holderName: holder.userName,
      birthDate: holder.birthDate,
      mobileNumber: '',
      authNumber: '',
    },
  });
}

/** Stores the recording of the passed call. @returns a line if that is not possible */
async function bringBackEvidence(
  { act, stores, paymentGateway }: Parts,
  registrationNumber: string,
): Promise<Line | undefined> {
  const { userId, aspId, policyId } = (await stores.registrations.loadAny(registrationNumber)).record;
  const member = await stores.members.find(aspId, userId);
  const { effects } = await stores.policies.get(policyId);
  const call = await findPassedCall(paymentGateway, registrationNumber, effects.maxAttempts);
  const recording =
    call &&
    (await fetchAcceptedRecording(
      paymentGateway,
      { reference: registrationNumber, ...call },
      AbortSignal.timeout(answerTimeout),
    ).catch((error: unknown) => {
      if (!(error instanceof UnacceptableRecording)) throw error;
      return undefined;
    }));
  if (!member || !recording) {
    const decide =
      'the account has no evidence of consent: delete it, or ask the payment gateway for the recording';
    return { registrationNumber, userId, result: 'no recording', decide };
  }
  const scriptVersion = currentConsentScript;
  await act({ registrationNumber, details: { recordingOfCall: call.callId } }, (acting) =>
    acting.consentEvidence.store(member.cipher, { registrationNumber, scriptVersion, ...call, ...recording }),
  );
  return { registrationNumber, userId, result: 'recording stored' };
}

/** The entries of the payment gateway's ledger that the database does not know, by number. */
async function readLostEntries({ stores, paymentGateway, reportProgress }: Parts) {
  const lost = new Map<string, LedgerEntry>();
  let read = 0;
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = { cursor: cursor ?? null, limit: ledgerPageSize };
    const { registrations, nextCursor } = await paymentGateway.listRegistrations(
      page,
      AbortSignal.timeout(answerTimeout),
    );
    const known = await stores.registrations.outline(registrations.map(({ reference }) => reference));
    for (const entry of registrations) if (!known.has(entry.reference)) lost.set(entry.reference, entry);
    read += registrations.length;
    if (nextCursor !== null) reportProgress(`${read} entries of the payment gateway's ledger read`);
    cursor = nextCursor;
  }
  return lost;
}

/** @throws {Refused} when something is left to decide */
function report({ print, isDryRun }: Parts, lines: readonly Line[]): void {
  if (lines.length === 0) return print('Nothing is lost that can be brought back.');
  const header = ['number', 'member', isDryRun ? 'would be' : 'result', 'to be decided'];
  const rows = lines.map((line) => [line.registrationNumber, line.userId, line.result, line.decide ?? '']);
  for (const row of alignColumns([header, ...rows])) print(row);
  const undecided = lines.filter(({ decide }) => decide !== undefined).length;
  print(`${lines.length - undecided} done, ${undecided} to be decided by you.`);
  if (undecided > 0) throw new Refused('Decide what the table says, then repeat the command.');
}
