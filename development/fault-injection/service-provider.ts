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
import type { Surroundings } from './surroundings.ts';
import { codes } from '../../wire/result-codes.ts';

/** What an inquiry answered. */
export interface Sighting {
  /** When it was asked and when it was answered, in Unix ms. */
  readonly askedAt: number;
  readonly at: number;
  readonly status: RegistrationStatus;
  /** Why it failed; undefined as long as it has not. */
  readonly code: string | undefined;
}

/** Everything the service provider has been told, by the wire alone. */
export interface Journal {
  /** All numbers handed out, those of refusals included, with every status seen since. */
  readonly sightings: Map<string, Sighting[]>;
  /** Numbers whose cancellation was answered with success. */
  readonly cancelled: Set<string>;
  /** Numbers whose cancellation was refused, because it came too late. */
  readonly tooLateToCancel: Set<string>;
  /** Members whose account the service provider has had deleted, or tried to. */
  readonly deletedMembers: Set<string>;
  /** Of these, those whose deletion was answered as done, and for whom nothing was registered since. */
  readonly membersWithoutAccount: Set<string>;
  /** How often which code came as an error that says to ask again. */
  readonly unavailable: Map<string, number>;
  /** Answers that this service provider had no reason to expect. */
  readonly unexpected: string[];
  registrationsBegun: number;
}

/** Whether the service provider has seen the end of a registration. */
export function hasEnded({ sightings }: Journal, number: string): boolean {
  const last = sightings.get(number)?.at(-1);
  return last !== undefined && registrationTransitions[last.status].length === 0;
}

/** How many members are served at the same time: at most so many, and one in so many. */
const concurrency = { most: 10, oneIn: 3 };

/** How long one registration may take, in ms; then the service provider leaves this member and serves the others. */
const patience = 120_000;

const pollInterval = 400;

/** A service provider that carries out what the plan has for each member, and repeats what is not answered. */
export function createServiceProvider({ apiUrl, project, members }: Surroundings) {
  const journal: Journal = {
    sightings: new Map(),
    cancelled: new Set(),
    tooLateToCancel: new Set(),
    deletedMembers: new Set(),
    membersWithoutAccount: new Set(),
    unavailable: new Map(),
    unexpected: [],
    registrationsBegun: 0,
  };
  const options = {
    baseUrl: `${apiUrl}/open-api`,
    aspId: project.aspId,
    accessKey: project.accessKey,
    secretKey: project.secretKey,
    encryption: project,
  };
  const km = createKmClient(options);
  const forgetful = createKmClient({
    ...options,
    fetch: async (...request) => {
      await (await fetch(...request)).text();
      throw new TypeError('The answer is lost.');
    },
  });

  /** Fails from then on: a service that is stuck must not keep the run from its verdict. */
  function patienceFor(what: string): () => void {
    const deadline = Date.now() + patience;
    return () => {
      if (Date.now() >= deadline) throw new Error(`Patience was at its end for ${what}.`);
    };
  }

  /** Asks until there is an answer, or until patience is at its end. */
  async function untilAnswered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (const requirePatience = patienceFor('an answer'); ; requirePatience()) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof KmUnavailable)) throw error;
        journal.unavailable.set(error.code, (journal.unavailable.get(error.code) ?? 0) + 1);
      }
      await delay(500);
    }
  }

  /** One look at a registration. */
  async function look(number: string): Promise<Sighting> {
    const sighting = await untilAnswered(async () => {
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
    journal.sightings.get(number)!.push(sighting);
    return sighting;
  }

  function accept(number: string): string {
    if (!journal.sightings.has(number)) journal.sightings.set(number, []);
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
    let client: KmClient = losesAnswer ? forgetful : km;
    for (const requirePatience = patienceFor(`a registration of ${userId}`); ; requirePatience()) {
      try {
        return await untilAnswered(async () => {
          const asked = client;
          client = km;
          return accept((await asked.register(request)).bankAccRegNo);
        });
      } catch (error) {
        if (!(error instanceof RegistrationInProgressError)) throw error;
        const running = error.bankAccRegNo;
        // The run of a registration that has ended may still be closing.
        if (running !== undefined && !hasEnded(journal, running)) return accept(running);
      }
      await delay(pollInterval);
    }
  }

  /** Looks until it has ended, or until patience is at its end. */
  async function follow(number: string): Promise<void> {
    const deadline = Date.now() + patience;
    while (Date.now() < deadline) {
      await look(number);
      if (hasEnded(journal, number)) return;
      await delay(pollInterval);
    }
  }

  async function cancel(number: string, after: number): Promise<void> {
    await delay(after);
    try {
      await untilAnswered(() => km.cancel({ regNo: number }));
      journal.cancelled.add(number);
    } catch (error) {
      if (!(error instanceof KmRefusal && error.code === codes.TOO_LATE_TO_CANCEL)) throw error;
      journal.tooLateToCancel.add(number);
    }
  }

  async function deleteAccount(userId: string): Promise<void> {
    journal.deletedMembers.add(userId);
    for (const requirePatience = patienceFor(`a deletion of ${userId}`); ; requirePatience()) {
      try {
        await untilAnswered(() => km.deleteAccount({ userId }));
        break;
      } catch (error) {
        if (!(error instanceof KmRefusal)) throw error;
        // There is none, or none any more.
        if (error.code === codes.NO_REGISTERED_ACCOUNT) break;
        if (!(error instanceof RegistrationInProgressError)) throw error;
      }
      await delay(pollInterval);
    }
    journal.membersWithoutAccount.add(userId);
  }

  async function serve(
    member: SandboxMember,
    operations: readonly MemberOperation[],
    onRegistration: (begun: number) => void,
  ): Promise<void> {
    for (const operation of operations) {
      if (operation.kind === 'DELETE') {
        await deleteAccount(member.userId);
        continue;
      }
      journal.registrationsBegun++;
      onRegistration(journal.registrationsBegun);
      const numbers = await Promise.all(
        [operation, ...(operation.isDoubled ? [operation] : [])].map((each) => register(member, each)),
      );
      const { cancelAfter } = operation;
      await Promise.all([
        ...numbers.map(follow),
        ...(cancelAfter === undefined ? [] : [cancel(numbers[0]!, cancelAfter)]),
      ]);
      // It may wait in REVIEW, where every further operation of the member is refused.
      if (!numbers.every((number) => hasEnded(journal, number))) return;
    }
  }

  return {
    journal,

    /** Serves all members. Resolves when everything planned was done. */
    async serveAll(
      plan: readonly (readonly MemberOperation[])[],
      onRegistration: (begun: number) => void,
    ): Promise<void> {
      const waiting = plan.map((operations, index) => ({ member: members[index]!, operations }));
      const next = waiting.values();
      const lanes = Math.min(concurrency.most, Math.ceil(waiting.length / concurrency.oneIn));
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

    /** Looks once more at every registration. */
    async lookAtAll(): Promise<void> {
      for (const number of journal.sightings.keys()) {
        await look(number).catch((error: unknown) => journal.unexpected.push(`${number}: ${String(error)}`));
      }
    },

    /** The registration number of the member's usable account; undefined when there is none. */
    async findAccount(userId: string): Promise<string | undefined> {
      try {
        return (await untilAnswered(() => km.account({ userId }))).accountInfo.bankAccRegNo;
      } catch (error) {
        if (error instanceof KmRefusal && error.code === codes.NO_REGISTERED_ACCOUNT) return undefined;
        throw error;
      }
    },
  };
}

/** See {@link createServiceProvider}. */
export type ServiceProvider = ReturnType<typeof createServiceProvider>;
