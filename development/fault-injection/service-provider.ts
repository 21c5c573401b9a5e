import { setTimeout as delay } from 'node:timers/promises';
import {
  KmRefusal,
  KmUnavailable,
  RegistrationInProgressError,
  createKmClient,
  failedRegistration,
} from '../../client/index.ts';
import type { KmClient, RegistrationStatus } from '../../client/index.ts';
import { registrationTransitions } from '../../wire/registration-status.ts';
import type { SandboxMember } from '../sandbox/members.ts';
import type { MemberOperation } from './plan.ts';
import type { SystemUnderTest } from './system-under-test.ts';
import { codes, resultCodes } from '../../wire/result-codes.ts';

/** The response to an inquiry. */
export interface ObservedStatus {
  /** When the inquiry was sent and answered, in Unix ms. */
  readonly askedAt: number;
  readonly at: number;
  readonly status: RegistrationStatus;
  /** The result code of a failure; otherwise undefined. */
  readonly code: string | undefined;
}

/** Everything that the service provider has learned through the public API. */
export interface Journal {
  /** All registration numbers received, including those of refusals, with every status seen since. */
  readonly statuses: Map<string, ObservedStatus[]>;
  /** Numbers whose cancellation succeeded. */
  readonly cancelled: Set<string>;
  /** Numbers whose cancellation was refused as too late. */
  readonly tooLateToCancel: Set<string>;
  /** Members whose account the service provider has deleted or tried to delete. */
  readonly deletedMembers: Set<string>;
  /** Those of them whose deletion succeeded and who have not been registered since. */
  readonly membersWithoutAccount: Set<string>;
  /** The number of retryable errors by result code. */
  readonly unavailable: Map<string, number>;
  /** How many requests to register a member had no answer of the service: anything may have happened. */
  readonly unanswered: Map<string, number>;
  /** Unexpected errors. */
  readonly unexpected: string[];
  registrationsRequested: number;
}

/** Whether the service provider has seen the final status of a registration. */
export function hasEnded({ statuses }: Journal, number: string): boolean {
  const last = statuses.get(number)?.at(-1);
  return last !== undefined && registrationTransitions[last.status].length === 0;
}

/** How many members are served concurrently: a third of them, at most 10. */
const concurrency = { max: 10, membersPerLane: 3 };

/** How long one operation may take, in ms. Then the service provider gives up on this member and serves the others. */
const operationTimeoutMs = 120_000;

const pollIntervalMs = 400;

/** A service provider that performs the planned operations of each member, and retries requests without a response. */
export function createServiceProvider({ apiUrl, project, members }: SystemUnderTest) {
  const journal: Journal = {
    statuses: new Map(),
    cancelled: new Set(),
    tooLateToCancel: new Set(),
    deletedMembers: new Set(),
    membersWithoutAccount: new Set(),
    unavailable: new Map(),
    unanswered: new Map(),
    unexpected: [],
    registrationsRequested: 0,
  };
  const options = {
    baseUrl: `${apiUrl}/open-api`,
    aspId: project.aspId,
    accessKey: project.accessKey,
    secretKey: project.secretKey,
    encryption: project,
  };
  const km = createKmClient(options);
  const clientLosingAnswers = createKmClient({
    ...options,
    fetch: async (...request) => {
      await (await fetch(...request)).text();
      throw new TypeError('The response is lost.');
    },
  });

  /** Returns a check that throws after the timeout, so that a stuck service does not prevent the verdict. */
  function startTimeout(what: string): () => void {
    const deadline = Date.now() + operationTimeoutMs;
    return () => {
      if (Date.now() >= deadline) throw new Error(`Timed out waiting for ${what}.`);
    };
  }

  /** Retries a request until it is answered or times out. */
  async function retry<Answer>(send: () => Promise<Answer>): Promise<Answer> {
    for (const checkTimeout = startTimeout('a response'); ; checkTimeout()) {
      try {
        return await send();
      } catch (error) {
        if (!(error instanceof KmUnavailable)) throw error;
        journal.unavailable.set(error.code, (journal.unavailable.get(error.code) ?? 0) + 1);
      }
      await delay(500);
    }
  }

  /** Inquires a registration once. */
  async function inquire(number: string): Promise<ObservedStatus> {
    const observed = await retry(async () => {
      const askedAt = Date.now();
      try {
        const { status } = await km.inquire({ regNo: number });
        return { askedAt, at: Date.now(), status, code: undefined };
      } catch (error) {
        const failed = failedRegistration(error);
        if (!failed) throw error;
        return { askedAt, at: Date.now(), status: failed.status, code: failed.code };
      }
    });
    journal.statuses.get(number)!.push(observed);
    return observed;
  }

  function accept(number: string): string {
    if (!journal.statuses.has(number)) journal.statuses.set(number, []);
    return number;
  }

  async function register(
    { userId, userName, birthDate }: SandboxMember,
    { accountNumber, mobileNumber, losesAnswer }: MemberOperation & { kind: 'REGISTER' },
  ): Promise<string> {
    const request = {
      userId,
      bankAccount: accountNumber,
      bankCode: '003',
      bankName: 'IBK',
      userName,
      birthDate,
      mobileNumber,
    };
    journal.membersWithoutAccount.delete(userId);
    let client: KmClient = losesAnswer ? clientLosingAnswers : km;
    for (const checkTimeout = startTimeout(`a registration of ${userId}`); ; checkTimeout()) {
      try {
        return await retry(async () => {
          const asked = client;
          client = km;
          try {
            return accept((await asked.register(request)).bankAccRegNo);
          } catch (error) {
            // With a result code the service has answered: nothing was accepted.
            if (error instanceof KmUnavailable && !(error.code in resultCodes))
              journal.unanswered.set(userId, (journal.unanswered.get(userId) ?? 0) + 1);
            throw error;
          }
        });
      } catch (error) {
        if (!(error instanceof RegistrationInProgressError)) throw error;
        const running = error.bankAccRegNo;
        // The run of a registration that has ended may still be closing.
        if (running !== undefined && !hasEnded(journal, running)) return accept(running);
      }
      await delay(pollIntervalMs);
    }
  }

  /** Polls a registration until it has ended or times out. */
  async function waitUntilEnded(number: string): Promise<void> {
    const deadline = Date.now() + operationTimeoutMs;
    while (Date.now() < deadline) {
      await inquire(number);
      if (hasEnded(journal, number)) return;
      await delay(pollIntervalMs);
    }
  }

  async function cancel(number: string, after: number): Promise<void> {
    await delay(after);
    try {
      await retry(() => km.cancel({ regNo: number }));
      journal.cancelled.add(number);
    } catch (error) {
      if (!(error instanceof KmRefusal && error.code === codes.TOO_LATE_TO_CANCEL)) throw error;
      journal.tooLateToCancel.add(number);
    }
  }

  async function deleteAccount(userId: string): Promise<void> {
    journal.deletedMembers.add(userId);
    for (const checkTimeout = startTimeout(`a deletion of ${userId}`); ; checkTimeout()) {
      try {
        await retry(() => km.deleteAccount({ userId }));
        break;
      } catch (error) {
        if (!(error instanceof KmRefusal)) throw error;
        if (error.code === codes.NO_REGISTERED_ACCOUNT) break;
        if (!(error instanceof RegistrationInProgressError)) throw error;
      }
      await delay(pollIntervalMs);
    }
    journal.membersWithoutAccount.add(userId);
  }

  async function serve(
    member: SandboxMember,
    operations: readonly MemberOperation[],
    onRegistration: (requested: number) => void,
  ): Promise<void> {
    for (const operation of operations) {
      if (operation.kind === 'DELETE') {
        await deleteAccount(member.userId);
        continue;
      }
      journal.registrationsRequested++;
      onRegistration(journal.registrationsRequested);
      const numbers = await Promise.all(
        [operation, ...(operation.isDoubled ? [operation] : [])].map((each) => register(member, each)),
      );
      const { cancelAfterMs } = operation;
      await Promise.all([
        ...numbers.map(waitUntilEnded),
        ...(cancelAfterMs === undefined ? [] : [cancel(numbers[0]!, cancelAfterMs)]),
      ]);
      // It may be in REVIEW, in which every further operation of the member is refused.
      if (!numbers.every((number) => hasEnded(journal, number))) return;
    }
  }

  return {
    journal,

    /** Serves all members. Resolves when all planned operations are over. */
    async runAll(
      plan: readonly (readonly MemberOperation[])[],
      onRegistration: (requested: number) => void,
    ): Promise<void> {
      const waiting = plan.map((operations, index) => ({ member: members[index]!, operations }));
      const next = waiting.values();
      const lanes = Math.min(concurrency.max, Math.ceil(waiting.length / concurrency.membersPerLane));
      await Promise.all(
        Array.from({ length: lanes }, async () => {
          for (const { member, operations } of next) {
            await serve(member, operations, onRegistration).catch((error: unknown) => {
              journal.unexpected.push(String(error));
            });
          }
        }),
      );
    },

    /** Inquires every registration once more. */
    async inquireAll(): Promise<void> {
      for (const number of journal.statuses.keys()) {
        await inquire(number).catch((error: unknown) =>
          journal.unexpected.push(`${number}: ${String(error)}`),
        );
      }
    },

    /** The registration number of the member's usable account; undefined when there is none. */
    async findAccount(userId: string): Promise<string | undefined> {
      try {
        return (await retry(() => km.account({ userId }))).accountInfo.bankAccRegNo;
      } catch (error) {
        if (error instanceof KmRefusal && error.code === codes.NO_REGISTERED_ACCOUNT) return undefined;
        throw error;
      }
    },
  };
}

/** See {@link createServiceProvider}. */
export type ServiceProvider = ReturnType<typeof createServiceProvider>;
