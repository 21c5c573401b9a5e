import { and, asc, desc, eq, gt, inArray, lt, not, notExists, or, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { Postponement, Wait } from '../contract/activities.ts';
import { outsideCallingHours } from '../contract/calling-hours.ts';
import { isOpen } from '../contract/effects.ts';
import type { Effect, EffectKind, EffectOutcome, EffectSource } from '../contract/effects.ts';
import { nextArsCall } from '../contract/next-ars-call.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import type {
  ArsCallResult,
  RegistrationEnd,
  RegistrationStep,
  RegistrationVerdict,
  ReviewVerdict,
} from '../contract/registration.ts';
import { codes } from '../wire/result-codes.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import type { ArsCalls } from './ars-calls.ts';
import { changeAccount, createAccountId, retireAccount } from './accounts.ts';
import type { Account } from './accounts.ts';
import { spendArsCode } from './ars-codes.ts';
import type { Queries } from './database.ts';
import { requireKnownDatabase } from './incarnations.ts';
import { lockRegistration, recordColumns, toEffect } from './locked-registration.ts';
import type { Committed, LockedRegistration } from './locked-registration.ts';
import { milestonesOfAccount } from './milestones.ts';
import type { RowSeals } from './row-seals.ts';
import {
  accounts,
  operatorDecisions,
  consentEvidence,
  effectKey,
  effects,
  registrations,
  statementTime,
} from './schema.ts';

/** Whether an effect may be sent now, by this execution and nobody else, or what is waited for. */
export type Claim =
  | { readonly claim: 'SEND'; readonly attempt: number; readonly sendBy: Date }
  | { readonly claim: 'WAIT'; readonly wait: Wait }
  /** The registration has moved on: nothing is to be sent in this step. */
  | { readonly claim: 'NOTHING' };

/** Who is to be called, for the daily limits. */
export interface Callee {
  readonly phoneNumber: string;
  /** Whether it is the phone number stored of the member. */
  readonly isOwnPhone: boolean;
  readonly accountNumber: string;
}

/** Nobody knows whether the request took effect. `reason`: what the payment gateway said, if it said anything. */
export interface NoAnswer {
  readonly state: 'UNKNOWN';
  readonly reason?: 'BANK_UNAVAILABLE';
}

/** The payment gateway did not answer an inquiry. `outage`: it was not even asked, because a circuit breaker is open. */
export interface NotAnswered {
  readonly state: 'NOT_ANSWERED';
  readonly outage?: Postponement;
}

/** What an inquiry says about an ARS call. */
export type ArsCallFinding =
  | { readonly state: 'NOT_FOUND' | 'NO_OUTCOME' | 'IN_PROGRESS' }
  | NotAnswered
  | ({ readonly state: 'ENDED' } & ArsCallResult);

/** What an inquiry says about a registration. */
export type RegistrationFinding =
  | RegistrationVerdict
  | { readonly state: 'NOT_FOUND' | 'IN_PROGRESS' | 'REMOVED' }
  | NotAnswered;

/** An operator's decision on a review. */
export interface ReviewDecision {
  readonly verdict: ReviewVerdict;
  /** Who decides; not a member's data. */
  readonly operator: string;
  /** Why; not a member's data. */
  readonly reason: string;
  readonly paymentGatewaySaid: string;
}

/** What others remember of a registration after a restore of the database. */
export interface RememberedRegistration {
  /** How it ended, as its run says; undefined if the run has not. */
  readonly told: RegistrationEnd | undefined;
  /** What the payment gateway says now. */
  readonly finding: RegistrationFinding;
  /** The call that the member passed, if there was one. */
  readonly passedCall: { readonly attempt: number; readonly callId: string } | undefined;
}

/** How much longer than otherwise the intervals between inquiries grow in REVIEW. */
const reviewFactor = 12;

const isOpenRemoval = and(eq(effects.kind, 'REMOVAL'), eq(effects.state, 'SENT'));

/**
 * The ledger of effects. Every decision on a registration is taken here, under its row lock, from what the rows say at
 * that moment; so it does not matter who asks for it, how often, or from which run.
 */
export function createLedger(queries: Queries, arsCalls: ArsCalls, rowSeals: RowSeals) {
  const lock = <Answer extends object | void>(
    registrationNumber: string,
    work: (locked: LockedRegistration) => Promise<Answer>,
  ) => lockRegistration(queries, rowSeals, registrationNumber, work);

  return {
    /** The database's time, to be read before a question is put. */
    async now(): Promise<Date> {
      const { rows } = (await queries.execute(sql`select clock_timestamp() as now`)) as {
        rows: [{ now: string }];
      };
      return new Date(rows[0].now);
    },

    /** Reads a registration under its lock, and believes its run. */
    async read(registrationNumber: string): Promise<Committed> {
      return await lock(registrationNumber, async (locked) => locked.renewLease());
    },

    /** Records how the real-name check ended: `refusal` is the code of a refusal. A registration that is not in this step stays unchanged. */
    async recordHolderCheck(registrationNumber: string, refusal: ResultCode | undefined): Promise<Committed> {
      return await lock(registrationNumber, async (locked) => {
        if (locked.row.step !== 'ACCOUNT_HOLDER_CHECK') return;
        locked.note('ACCOUNT_HOLDER_CHECKED', refusal ?? 'MATCHED');
        if (refusal) return await locked.end('BANK_ACC_REG_FAILED', refusal);
        locked.moveTo('ARS_CALL');
        locked.renewLease();
      });
    },

    /**
     * Records that a request was postponed, because the bank or the payment gateway is closed. Gives up when the
     * registration has waited for as long as its policy says. What is open already is not postponed: it is asked about.
     */
    async postpone(
      registrationNumber: string,
      { reason, until }: Postponement,
      policy: RegistrationPolicy,
    ): Promise<Committed & { readonly wait?: Wait }> {
      return await lock(registrationNumber, async (locked) => {
        if (locked.row.endedAt) return {};
        const open = locked.openEffect('ARS_CALL') ?? locked.openEffect('REGISTRATION');
        if (open) return { wait: waitForCallback(locked, open).wait };
        notePostponement(locked, { reason, until });
        locked.change({ triedSince: locked.now });
        const { giveUpAfter } = policy.closure;
        if (locked.now.getTime() - locked.row.createdAt.getTime() >= giveUpAfter) {
          await failStep(locked, codes.BANK_OR_GATEWAY_CLOSED);
          return {};
        }
        const milliseconds = Math.max(until - locked.now.getTime(), 0);
        locked.renewLease(milliseconds);
        return { wait: { for: 'REOPENING', reason, milliseconds } as const };
      });
    },

    /** Ends a registration whose step failed for good, unless it has left that step or something of it is open. */
    async giveUp(
      registrationNumber: string,
      step: RegistrationStep,
      resultCode: ResultCode,
    ): Promise<Committed> {
      return await lock(registrationNumber, async (locked) => {
        const isOpenStill = locked.openEffect('ARS_CALL') !== undefined || mayBeRegistered(locked);
        if (locked.row.step === step && !isOpenStill) await failStep(locked, resultCode);
      });
    },

    /**
     * Claims the next ARS call: counts it, spends the code and enters it as sent. `openCallee` is called only for a call
     * that is to be sent: one that is open needs no personal data. If it throws, nothing is sent.
     */
    async claimArsCall(
      registrationNumber: string,
      openCallee: () => Callee,
      policy: RegistrationPolicy,
      execution: string,
    ): Promise<Committed & Claim> {
      return await lock(registrationNumber, async (locked): Promise<Claim> => {
        if (locked.row.step !== 'ARS_CALL') return { claim: 'NOTHING' };
        const now = locked.now.getTime();
        const next = nextArsCall(locked.effects('ARS_CALL'), policy, now);
        if (next.state === 'FAILED') {
          await locked.end('ARS_AUTH_FAILED', codes.ARS_AUTH_FAILED);
          return { claim: 'NOTHING' };
        }
        if (next.state === 'OPEN') return waitForCallback(locked, next.call);
        if (next.state === 'LATER') return waitUntil(locked, next.until, 'CALL_AGAIN');
        const outside = outsideCallingHours(policy.arsCall.callingHours, now);
        if (outside) {
          notePostponement(locked, outside);
          const at = outside.until + Math.round(Math.random() * policy.closure.resumeWithin);
          return waitUntil(locked, at, 'OUTSIDE_CALLING_HOURS');
        }
        const { userId, aspId, bankCode, arsCodeId } = locked.row;
        const { attempt } = next;
        const assumed = await assumeAfterRestore(locked, 'ARS_CALL', attempt, policy);
        if (assumed) return waitForCallback(locked, assumed);
        const limit = await arsCalls.count(
          locked.transaction,
          { registrationNumber, attempt, userId, aspId, bankCode, ...openCallee() },
          policy.arsCall.dailyLimits,
        );
        if (limit) {
          locked.note('ARS_CALL_ENDED', `${limit}_LIMIT`, attempt);
          await locked.end('ARS_AUTH_FAILED', codes.ARS_AUTH_FAILED);
          return { claim: 'NOTHING' };
        }
        if (arsCodeId) await spendArsCode(locked.transaction, arsCodeId, registrationNumber);
        const { firstInquiryAfter } = policy.arsCall;
        const sendBy = await locked.send('ARS_CALL', attempt, execution, policy.effects, firstInquiryAfter);
        locked.renewLease(firstInquiryAfter);
        return { claim: 'SEND', attempt, sendBy };
      });
    },

    /** Records that the evidence of consent is stored. */
    async recordEvidence(registrationNumber: string): Promise<Committed> {
      return await lock(registrationNumber, async (locked) => {
        if (locked.row.step !== 'CONSENT_EVIDENCE') return;
        locked.note('CONSENT_EVIDENCE_STORED', 'STORED');
        locked.moveTo('PAYMENT_GATEWAY_REGISTRATION');
        locked.renewLease();
      });
    },

    /** Everything of a registration that counts or counted as sent, the earliest first. */
    async listEffects(registrationNumber: string): Promise<Effect[]> {
      const rows = await queries
        .select()
        .from(effects)
        .where(eq(effects.registrationNumber, registrationNumber))
        .orderBy(asc(effects.kind), asc(effects.attempt));
      return rows.map(toEffect);
    },

    /** The effect of a kind that is open or, for a call, the one that passed; undefined if there is none. */
    async find(
      registrationNumber: string,
      kind: EffectKind,
      state: 'OPEN' | 'DONE',
    ): Promise<Pick<Effect, 'attempt' | 'callId'> | undefined> {
      const states = state === 'OPEN' ? (['SENT', 'ACCEPTED'] as const) : (['DONE'] as const);
      const [effect] = await queries
        .select({ attempt: effects.attempt, callId: effects.callId })
        .from(effects)
        .where(
          and(
            eq(effects.registrationNumber, registrationNumber),
            eq(effects.kind, kind),
            inArray(effects.state, states),
          ),
        );
      return effect;
    },

    /**
     * Claims the registration at the payment gateway. Without stored evidence of consent the number fails. `open` is called
     * only for an attempt that is to be sent, as in {@link claimArsCall}.
     */
    async claimRegistration(
      registrationNumber: string,
      open: () => unknown,
      policy: RegistrationPolicy,
      execution: string,
    ): Promise<Committed & Claim> {
      return await lock(registrationNumber, async (locked): Promise<Claim> => {
        if (locked.row.step !== 'PAYMENT_GATEWAY_REGISTRATION') return { claim: 'NOTHING' };
        const attempts = locked.effects('REGISTRATION');
        const latest = attempts.at(-1);
        const isExhausted = attempts.length >= policy.effects.maxAttempts && latest?.state === 'ABSENT';
        if (isExhausted || isOverdue(attempts, policy, locked.now)) return beginReview(locked);
        if (latest && isOpen(latest)) return waitForCallback(locked, latest);
        if (!(await hasEvidence(locked))) {
          await locked.end('BANK_ACC_REG_FAILED', codes.EVIDENCE_NOT_SECURED);
          return { claim: 'NOTHING' };
        }
        const attempt = nextAttempt(attempts);
        const assumed = await assumeAfterRestore(locked, 'REGISTRATION', attempt, policy);
        if (assumed) return waitForCallback(locked, assumed);
        open();
        const { firstInquiryAfter } = policy.paymentGatewayRegistration;
        const sendBy = await locked.send(
          'REGISTRATION',
          attempt,
          execution,
          policy.effects,
          firstInquiryAfter,
        );
        locked.renewLease(firstInquiryAfter);
        return { claim: 'SEND', attempt, sendBy };
      });
    },

    /** Records, by the one execution that could send it, that an effect never left; so it may be sent again. */
    async markNotSent(
      registrationNumber: string,
      kind: 'ARS_CALL' | 'REGISTRATION',
      execution: string,
    ): Promise<Committed> {
      return await lock(registrationNumber, async (locked) => {
        await locked.transaction
          .update(effects)
          .set({ state: 'NOT_SENT', decidedAt: locked.now, decidedBy: 'ANSWER' })
          .where(
            and(
              eq(effects.registrationNumber, registrationNumber),
              eq(effects.kind, kind),
              eq(effects.execution, execution),
              eq(effects.state, 'SENT'),
            ),
          );
      });
    },

    /** Records that the payment gateway took a request, or that nobody knows. */
    async recordSent(
      registrationNumber: string,
      kind: 'ARS_CALL' | 'REGISTRATION',
      attempt: number,
      answer: { readonly state: 'ACCEPTED'; readonly callId?: string } | NoAnswer,
    ): Promise<Committed & { readonly wait?: Wait }> {
      return await lock(registrationNumber, async (locked) => {
        const effect = locked.effects(kind).find((candidate) => candidate.attempt === attempt)!;
        // A callback may have overtaken the answer.
        if (!isOpen(effect)) {
          const isOther = answer.state === 'ACCEPTED' && isAnotherCall(effect, answer);
          if (isOther) await locked.contradict(effect, 'ANOTHER_CALL');
          return {};
        }
        const accepted = kind === 'ARS_CALL' ? 'PLACED' : 'ACCEPTED';
        const outcome = answer.state === 'ACCEPTED' ? accepted : (answer.reason ?? 'UNKNOWN');
        locked.note(kind === 'ARS_CALL' ? 'ARS_CALL_PLACED' : 'REGISTRATION_ATTEMPTED', outcome, attempt);
        if (answer.state === 'ACCEPTED') await accept(locked, effect, answer.callId);
        return { wait: waitForCallback(locked, effect).wait };
      });
    },

    /**
     * Decides an ARS call. The first word counts; a different one that comes later is kept as a contradiction. What is said
     * of another call than the one that was placed decides nothing.
     */
    async decideArsCall(
      registrationNumber: string,
      attempt: number,
      result: ArsCallResult,
      source: EffectSource,
    ): Promise<Committed & { readonly isKnown: boolean }> {
      return await lock(registrationNumber, async (locked) => {
        const call = locked.effects('ARS_CALL').find((candidate) => candidate.attempt === attempt);
        if (!call || (isOpen(call) && isAnotherCall(call, result))) return { isKnown: false };
        await decideArsCall(locked, call, result, source);
        return { isKnown: true };
      });
    },

    /** Judges what the payment gateway said about the open ARS call when asked at `askedAt`. */
    async judgeArsCall(
      registrationNumber: string,
      attempt: number,
      askedAt: Date,
      finding: ArsCallFinding,
      policy: RegistrationPolicy,
    ): Promise<Committed & { readonly wait?: Wait }> {
      return await lock(registrationNumber, async (locked) => {
        const call = locked.effects('ARS_CALL').find((candidate) => candidate.attempt === attempt);
        if (!call || !isOpen(call)) return {};
        if (finding.state === 'ENDED' && !isAnotherCall(call, finding)) {
          await decideArsCall(locked, call, finding, 'INQUIRY');
          return {};
        }
        if (call.state === 'SENT' && finding.state === 'NOT_FOUND' && askedAt.getTime() > call.settledAt) {
          await decide(locked, call, { state: 'ABSENT', outcome: null }, 'INQUIRY');
          locked.note('ARS_CALL_ENDED', 'NOT_PLACED', attempt);
          return {};
        }
        noteOutage(locked, finding);
        if (finding.state === 'IN_PROGRESS' && call.state === 'SENT') {
          await accept(locked, call);
          locked.note('ARS_CALL_PLACED', 'PLACED', attempt);
        }
        const { silenceLimit, callLimit, firstInquiryAfter, maxInquiryInterval } = policy.arsCall;
        // A payment gateway that does not answer tells us nothing about the call.
        const isSilent = finding.state === 'NO_OUTCOME' || finding.state === 'NOT_FOUND';
        // An assumed call counts from when it was assumed.
        const since = Math.max(call.sentAt, call.sendBy - policy.effects.sendLimit);
        if (locked.now.getTime() - since >= (isSilent ? silenceLimit : callLimit)) {
          await endArsCall(locked, call, 'NO_OUTCOME', 'INQUIRY');
          return {};
        }
        return await askLater(
          locked,
          call,
          Math.min(firstInquiryAfter * 2 ** (call.asks + 1), maxInquiryInterval),
        );
      });
    },

    /** Decides the registration. REGISTERED makes the account the member's only active one, in the same transaction. */
    async decideRegistration(
      registrationNumber: string,
      verdict: RegistrationVerdict,
      source: EffectSource,
    ): Promise<Committed & { readonly isKnown: boolean }> {
      return await lock(registrationNumber, async (locked) => {
        const attempt = attemptOfVerdict(locked);
        if (attempt) await decideRegistration(locked, attempt, verdict, source);
        return { isKnown: attempt !== undefined };
      });
    },

    /** Judges what the payment gateway said about the registration when asked at `askedAt`. */
    async judgeRegistration(
      registrationNumber: string,
      askedAt: Date,
      finding: RegistrationFinding,
      policy: RegistrationPolicy,
    ): Promise<Committed & { readonly wait?: Wait }> {
      return await lock(registrationNumber, async (locked) => {
        const attempts = locked.effects('REGISTRATION');
        const latest = attempts.at(-1);
        if (locked.row.endedAt || !latest) return {};
        const isOutage = noteOutage(locked, finding);
        const said = finding.state === 'REFUSED' ? finding.resultCode : finding.state;
        if (!isOutage) locked.note('REGISTRATION_INQUIRED', said, latest.asks + 1);
        if (finding.state === 'REGISTERED' || finding.state === 'REFUSED') {
          await decideRegistration(locked, attemptOfVerdict(locked)!, finding, 'INQUIRY');
          return {};
        }
        const isReview = locked.row.step === 'REVIEW';
        if (finding.state === 'IN_PROGRESS' && latest.state === 'SENT') await accept(locked, latest);
        const isAbsent = finding.state === 'NOT_FOUND' && latest.state === 'SENT';
        if (isAbsent && askedAt.getTime() > latest.settledAt) {
          await decide(locked, latest, { state: 'ABSENT', outcome: null }, 'INQUIRY');
          if (!isReview) return {};
        }
        // The answer to the commit that decided the attempt got lost: there is nothing to wait for.
        if (!isReview && !isOpen(latest)) return {};
        if (!isReview && isOverdue(attempts, policy, locked.now)) {
          beginReview(locked);
          return {};
        }
        const { firstInquiryAfter, maxInquiryInterval } = policy.paymentGatewayRegistration;
        const longest = isReview ? maxInquiryInterval * reviewFactor : maxInquiryInterval;
        return await askLater(
          locked,
          latest,
          Math.min(firstInquiryAfter * 2 ** Math.min(latest.asks + 1, 30), longest),
        );
      });
    },

    /** What a registration in REVIEW waits for. */
    async waitInReview(registrationNumber: string): Promise<Committed & { readonly wait?: Wait }> {
      return await lock(registrationNumber, async (locked) => {
        const latest = locked.effects('REGISTRATION').at(-1);
        if (locked.row.step !== 'REVIEW' || !latest) return {};
        return { wait: waitForCallback(locked, latest).wait };
      });
    },

    /**
     * Resolves a registration in REVIEW by an operator's verdict, which is recorded in the same transaction.
     * @returns `isResolved`: false when it is not in REVIEW any more
     */
    async resolve(
      registrationNumber: string,
      { verdict, operator, reason, paymentGatewaySaid }: ReviewDecision,
    ): Promise<Committed & { readonly isResolved: boolean }> {
      return await lock(registrationNumber, async (locked) => {
        const latest = locked.effects('REGISTRATION').at(-1);
        if (locked.row.step !== 'REVIEW' || !latest) return { isResolved: false };
        await locked.transaction.insert(operatorDecisions).values({
          registrationNumber,
          decidedAt: locked.now,
          operator,
          decision: verdict,
          reason,
          paymentGatewaySaid,
        });
        locked.note('REVIEW_RESOLVED', verdict);
        if (verdict === 'REGISTERED') {
          await decideRegistration(locked, attemptOfVerdict(locked)!, { state: 'REGISTERED' }, 'OPERATOR');
        } else {
          // What an attempt left at the payment gateway may show only later, even if it was absent so far.
          await locked.queueRemoval();
          const refused = { state: 'REFUSED', resultCode: codes.NOT_REGISTERED_AFTER_REVIEW } as const;
          await decideRegistration(locked, latest, refused, 'OPERATOR');
          if (!locked.row.endedAt) await locked.end('BANK_ACC_REG_FAILED', refused.resultCode);
        }
        return { isResolved: true };
      });
    },

    /**
     * Brings back a registration of which a restore lost the end, or with `lostRow` everything. What a client was told
     * stays true; but REGISTERED counts only if the payment gateway says so. Idempotent: one that has ended stays as it is.
     */
    async adopt(
      registrationNumber: string,
      remembered: RememberedRegistration,
      policy: RegistrationPolicy,
      lostRow?: typeof registrations.$inferInsert,
    ): Promise<Committed> {
      return await queries.transaction(async (transaction) => {
        if (lostRow) await transaction.insert(registrations).values(lostRow).onConflictDoNothing();
        return await lockRegistration(transaction, rowSeals, registrationNumber, async (locked) => {
          if (locked.row.endedAt) return;
          await adopt(locked, remembered, policy, lostRow !== undefined);
        });
      });
    },

    /**
     * Ends a registration as cancelled, unless the payment gateway may have registered the account, or it has ended.
     * A call that is under way does not stand against it.
     */
    async cancel(registrationNumber: string): Promise<Committed> {
      return await lock(registrationNumber, async (locked) => {
        if (locked.row.endedAt || mayBeRegistered(locked)) return;
        const call = locked.openEffect('ARS_CALL');
        if (call) await decide(locked, call, { state: 'REFUSED', outcome: 'CANCELLED' }, 'CANCELLATION');
        locked.note('CANCEL_REQUESTED', 'CANCELLED');
        await locked.end('BANK_ACC_REG_FAILED', codes.CANCELLED);
      });
    },

    /** Orders the registration of an account for auto charge. Without an order, no run requests it. Idempotent. */
    async orderAutoCharge(registrationNumber: string, policy: RegistrationPolicy): Promise<void> {
      await lock(registrationNumber, (locked) => locked.order('AUTO_CHARGE', policy.effects));
    },

    /**
     * Claims the registration of an active account for auto charge. Idempotent at the payment gateway, so an open one is
     * sent again. @returns how it stands if it is decided; NONE when the account is not active or nothing is ordered
     */
    async claimAutoCharge(
      registrationNumber: string,
      policy: RegistrationPolicy,
    ): Promise<'SEND' | 'DONE' | 'REFUSED' | 'NONE'> {
      const { claim } = await lock(registrationNumber, async (locked) => {
        await requireKnownDatabase(locked.transaction);
        await locked.lockMember();
        const active = and(eq(accounts.registrationNumber, registrationNumber), eq(accounts.state, 'ACTIVE'));
        const [effect] = locked.effects('AUTO_CHARGE');
        if (!effect || (await locked.transaction.$count(accounts, active)) === 0)
          return { claim: 'NONE' as const };
        const { state } = effect;
        if (state === 'DONE' || state === 'REFUSED') return { claim: state };
        await locked.sendAgain('AUTO_CHARGE', policy.effects);
        return { claim: 'SEND' as const };
      });
      return claim;
    },

    /** Records whether the payment gateway registered the account for auto charge. Idempotent: the first time stays. */
    async recordAutoCharge(registrationNumber: string, isRegistered: boolean): Promise<void> {
      await lock(registrationNumber, async (locked) => {
        const effect = locked.openEffect('AUTO_CHARGE');
        const state = isRegistered ? 'DONE' : 'REFUSED';
        if (effect) await decide(locked, effect, { state, outcome: null }, 'ANSWER');
        if (!isRegistered) return;
        await changeAccountOf(locked, (account) =>
          account.state === 'ACTIVE' && !account.autoChargeSince
            ? { autoChargeSince: locked.now }
            : undefined,
        );
      });
    },

    /** When everything that this number sent has settled at the payment gateway; undefined if it sent nothing. */
    async settledAt(registrationNumber: string): Promise<Date | undefined> {
      const [row] = await queries
        .select({ settledAt: effects.settledAt })
        .from(effects)
        .where(and(eq(effects.registrationNumber, registrationNumber), eq(effects.kind, 'REGISTRATION')))
        .orderBy(desc(effects.settledAt))
        .limit(1);
      return row?.settledAt;
    },

    /**
     * Whether the sealed rows bear out a removal: the account is out of use, or the registration has failed.
     * @throws {AlteredRow}
     */
    async isRemovable(registrationNumber: string): Promise<boolean> {
      const sealer = await rowSeals.open();
      const [row] = await queries
        .select({ record: recordColumns, account: accounts })
        .from(registrations)
        .leftJoin(accounts, eq(accounts.registrationNumber, registrations.registrationNumber))
        .where(eq(registrations.registrationNumber, registrationNumber));
      if (!row) return false;
      if (row.account) return sealer.authentic('accounts', row.account).state !== 'ACTIVE';
      const { endedAt, status } = sealer.authentic('registrations', row.record);
      return endedAt !== null && status !== 'BANK_ACC_REGISTERED';
    },

    /**
     * Takes removals that are overdue, the longest first; each is overdue again after a minute.
     * @returns the numbers of their registrations
     */
    async takeOverdueRemovals(limit: number): Promise<string[]> {
      const overdue = queries
        .select({ registrationNumber: effects.registrationNumber })
        .from(effects)
        .where(and(isOpenRemoval, lt(effects.askAt, sql`${statementTime} - interval '1 minute'`)))
        .orderBy(asc(effects.askAt))
        .limit(limit)
        .for('no key update', { skipLocked: true });
      const taken = await queries
        .update(effects)
        .set({ askAt: sql`clock_timestamp()` })
        .where(and(isOpenRemoval, inArray(effects.registrationNumber, overdue)))
        .returning({ registrationNumber: effects.registrationNumber });
      return taken.map(({ registrationNumber }) => registrationNumber);
    },

    /**
     * Deletes what was decided 90 days ago, of registrations that ended then, in batches. A number of which something is
     * open, such as a removal, keeps all of it; an auto charge without an answer counts as over. Nothing else reads it by then: accounts, evidence and timeline have rows of
     * their own. @returns how many
     */
    async deleteOld(rowsPerBatch = 1_000): Promise<number> {
      const open = alias(effects, 'open');
      const isOld = (at: AnyPgColumn) => lt(at, sql`${statementTime} - interval '90 days'`);
      // Nothing sends an auto charge again that got no answer, so it is over once it has settled.
      const isOver = ({ kind, settledAt }: Record<'kind' | 'settledAt', AnyPgColumn>) =>
        and(eq(kind, 'AUTO_CHARGE'), isOld(settledAt));
      const isOpenElse = and(
        eq(open.registrationNumber, effects.registrationNumber),
        inArray(open.state, ['SENT', 'ACCEPTED']),
        not(isOver(open)!),
      );
      for (let deleted = 0; ;) {
        const old = queries
          .select({
            registrationNumber: effects.registrationNumber,
            kind: effects.kind,
            attempt: effects.attempt,
          })
          .from(effects)
          .innerJoin(registrations, eq(registrations.registrationNumber, effects.registrationNumber))
          .where(
            and(
              or(isOld(effects.decidedAt), isOver(effects)),
              isOld(registrations.endedAt),
              notExists(queries.select().from(open).where(isOpenElse)),
            ),
          )
          .orderBy(asc(effects.decidedAt))
          .limit(rowsPerBatch)
          .for('update', { of: effects, skipLocked: true });
        const batch = await queries
          .delete(effects)
          .where(sql`(${sql.join(effectKey, sql`, `)}) in ${old}`)
          .returning({ attempt: effects.attempt });
        deleted += batch.length;
        if (batch.length < rowsPerBatch) return deleted;
      }
    },

    /** Records that an account is removed at the payment gateway. Idempotent. */
    async recordRemoval(registrationNumber: string): Promise<void> {
      await lock(registrationNumber, async (locked) => {
        const removal = locked.openEffect('REMOVAL');
        if (removal) await decide(locked, removal, { state: 'DONE', outcome: null }, 'ANSWER');
        await changeAccountOf(locked, ({ state }) =>
          state === 'REPLACED' || state === 'DELETED'
            ? { state: 'REMOVED', removedAt: locked.now }
            : undefined,
        );
      });
    },
  };

  async function adopt(
    locked: LockedRegistration,
    { told, finding, passedCall }: RememberedRegistration,
    { effects: policy }: RegistrationPolicy,
    isLost: boolean,
  ): Promise<void> {
    await requireKnownDatabase(locked.transaction);
    const end = adoptedEnd(told, finding);
    // A known one goes on in its run.
    if (!end && !isLost) return;
    if (!locked.row.begunAt) locked.change({ begunAt: locked.row.createdAt });
    if (passedCall) {
      const { attempt, callId } = passedCall;
      const known = locked.effects('ARS_CALL').find((call) => call.attempt === attempt);
      if (!known) await closeEffect(locked, 'ARS_CALL', 'NO_OUTCOME');
      const call = known ?? (await locked.assume('ARS_CALL', attempt, policy));
      await decideArsCall(locked, call, { callId, outcome: 'PASSED' }, 'INQUIRY');
      if (!locked.row.passedCall) locked.change({ passedCall });
    }
    locked.note('REGISTRATION_INQUIRED', finding.state === 'REFUSED' ? finding.resultCode : finding.state);
    if (end && end.status !== 'BANK_ACC_REGISTERED') {
      await closeEffect(locked, 'ARS_CALL', end.resultCode);
      await closeEffect(locked, 'REGISTRATION', end.resultCode);
      return await locked.end(end.status, end.resultCode);
    }
    const attempts = locked.effects('REGISTRATION');
    const attempt =
      attempts.find(isOpen) ?? (await locked.assume('REGISTRATION', nextAttempt(attempts), policy));
    if (!end) return void beginReview(locked);
    await decideRegistration(locked, attempt, { state: 'REGISTERED' }, 'OPERATOR');
    if (finding.state !== 'REMOVED') return;
    const { transaction, sealer, row, now } = locked;
    await retireAccount(transaction, sealer, await locked.lockMember(), row.registrationNumber, now);
  }

  async function closeEffect(
    locked: LockedRegistration,
    kind: EffectKind,
    outcome: EffectOutcome,
  ): Promise<void> {
    const open = locked.openEffect(kind);
    if (open) await decide(locked, open, { state: 'REFUSED', outcome }, 'OPERATOR');
  }

  async function decideArsCall(
    locked: LockedRegistration,
    call: Effect,
    { callId, outcome }: ArsCallResult,
    source: EffectSource,
  ): Promise<void> {
    if (!isOpen(call)) return await contradict(locked, call, outcome);
    if (call.state === 'SENT') locked.note('ARS_CALL_PLACED', 'PLACED', call.attempt);
    if (outcome !== 'PASSED') return await endArsCall(locked, call, outcome, source, callId);
    await decide(locked, call, { state: 'DONE', outcome, callId }, source);
    locked.note('ARS_CALL_ENDED', outcome, call.attempt);
    locked.change({ passedCall: { attempt: call.attempt, callId } });
    locked.moveTo('CONSENT_EVIDENCE', 'ARS_AUTH_DONE');
    locked.renewLease();
  }

  async function endArsCall(
    locked: LockedRegistration,
    call: Effect,
    outcome: EffectOutcome,
    source: EffectSource,
    callId = call.callId,
  ): Promise<void> {
    await decide(locked, call, { state: 'REFUSED', outcome, callId }, source);
    locked.note('ARS_CALL_ENDED', outcome, call.attempt);
    locked.change({ triedSince: locked.now });
  }

  async function decideRegistration(
    locked: LockedRegistration,
    attempt: Effect,
    verdict: RegistrationVerdict,
    source: EffectSource,
  ): Promise<void> {
    const isRegistered = verdict.state === 'REGISTERED';
    // What was taken for absent or not sent may turn out to have arrived. In REVIEW nothing more is sent, so there a
    // refusal of it is the last word, too.
    const mayDecide = isOpen(attempt) || isRegistered || locked.row.step === 'REVIEW';
    if (!mayDecide || locked.row.endedAt) {
      await contradict(locked, attempt, isRegistered ? 'REGISTERED' : verdict.resultCode);
      const hasFailed = locked.row.endedAt && locked.row.status !== 'BANK_ACC_REGISTERED';
      if (isRegistered && hasFailed) await locked.queueRemoval();
      return;
    }
    if (source === 'ANSWER')
      locked.note(
        'REGISTRATION_ATTEMPTED',
        isRegistered ? verdict.state : verdict.resultCode,
        attempt.attempt,
      );
    if (source === 'CALLBACK')
      locked.note('REGISTRATION_TOLD', isRegistered ? verdict.state : verdict.resultCode);
    if (verdict.state === 'REFUSED') {
      await decide(locked, attempt, { state: 'REFUSED', outcome: verdict.resultCode }, source);
      return await locked.end('BANK_ACC_REG_FAILED', verdict.resultCode);
    }
    await decide(locked, attempt, { state: 'DONE', outcome: codes.SUCCESS }, source);
    await activate(locked);
  }
}

/**
 * How a registration ends of which only others remember something. Undefined if it cannot be decided: the payment
 * gateway does not know yet, or denies what a client was told.
 */
export function adoptedEnd(
  told: RegistrationEnd | undefined,
  finding: RegistrationFinding,
): RegistrationEnd | undefined {
  const wasRegistered = told?.status === 'BANK_ACC_REGISTERED';
  if (told && !wasRegistered) return told;
  if (finding.state === 'REGISTERED' || (wasRegistered && finding.state === 'REMOVED'))
    return { status: 'BANK_ACC_REGISTERED', resultCode: codes.SUCCESS };
  if (wasRegistered || finding.state === 'IN_PROGRESS' || finding.state === 'NOT_ANSWERED') return undefined;
  const isRefused = finding.state === 'REFUSED';
  return {
    status: 'BANK_ACC_REG_FAILED',
    resultCode: isRefused ? finding.resultCode : codes.NOT_REGISTERED_AFTER_REVIEW,
  };
}

async function changeAccountOf(
  locked: LockedRegistration,
  change: Parameters<typeof changeAccount>[4],
): Promise<void> {
  const member = await locked.lockMember();
  await changeAccount(locked.transaction, locked.sealer, member, locked.row.registrationNumber, change);
}

/**
 * Makes the account the member's only active one. The one active so far is replaced, and queued for removal. If that one
 * is newer, because a restore had lost this registration, this account is the one that was replaced.
 */
async function activate(locked: LockedRegistration): Promise<void> {
  const { transaction, sealer, now } = locked;
  const { registrationNumber, userId, createdAt } = locked.row;
  const member = await locked.lockMember();
  const [active] = await transaction
    .select({ account: accounts, isNewer: gt(registrations.createdAt, createdAt).mapWith(Boolean) })
    .from(accounts)
    .innerJoin(registrations, eq(registrations.registrationNumber, accounts.registrationNumber))
    .where(and(eq(accounts.userId, userId), eq(accounts.state, 'ACTIVE')))
    .for('no key update', { of: accounts });
  const former = active && sealer.authentic('accounts', active.account);
  const insert = async (account: Pick<Account, 'state' | 'activatedAt' | 'retiredAt' | 'replacedBy'>) => {
    const common = { registrationNumber, userId, accountId: createAccountId() };
    const row = { ...common, ...account, autoChargeSince: null, removedAt: null };
    await transaction.insert(accounts).values({ ...row, seal: sealer.seal('accounts', row) });
    member.count(milestonesOfAccount(row));
  };
  if (former && active.isNewer) {
    const replacedBy = former.registrationNumber;
    await insert({ state: 'REPLACED', activatedAt: createdAt, retiredAt: now, replacedBy });
    await locked.queueRemoval();
  } else {
    if (former) {
      const replaced = { state: 'REPLACED', retiredAt: now, replacedBy: registrationNumber } as const;
      await transaction
        .update(accounts)
        .set({ ...replaced, seal: sealer.seal('accounts', { ...former, ...replaced }) })
        .where(eq(accounts.registrationNumber, former.registrationNumber));
      member.count(milestonesOfAccount({ ...former, ...replaced }) - milestonesOfAccount(former));
      await locked.queueRemoval(former.registrationNumber);
    }
    await insert({ state: 'ACTIVE', activatedAt: now, retiredAt: null, replacedBy: null });
  }
  await locked.end('BANK_ACC_REGISTERED', codes.SUCCESS);
}

/**
 * After a restore, the danger is a known number whose attempts are lost: the ledger says "never sent". So each next effect
 * of an older number counts as sent and is asked about, until the first of them is absent.
 * @throws {DatabaseRestored} when nobody has said yet what the restore lost
 */
async function assumeAfterRestore(
  locked: LockedRegistration,
  kind: EffectKind,
  attempt: number,
  { effects: policy }: RegistrationPolicy,
): Promise<Effect | undefined> {
  const restore = await requireKnownDatabase(locked.transaction);
  if (!restore || locked.row.createdAt >= restore.begunAt) return undefined;
  const { begunAt } = restore;
  const knowsTheRest = locked
    .effects(kind)
    .some(
      ({ isAssumed, state, decidedAt }) => isAssumed && state === 'ABSENT' && decidedAt! >= begunAt.getTime(),
    );
  return knowsTheRest ? undefined : await locked.assume(kind, attempt, policy);
}

/** The attempt that a verdict is about: the open one, else one that was taken for absent, else the latest. */
function attemptOfVerdict(locked: LockedRegistration): Effect | undefined {
  const attempts = locked.effects('REGISTRATION');
  return attempts.find(isOpen) ?? attempts.findLast(({ state }) => state === 'ABSENT') ?? attempts.at(-1);
}

/** Only one that never left is made again under its number; it is the latest. */
function nextAttempt(attempts: readonly Effect[]): number {
  const latest = attempts.at(-1);
  return latest?.state === 'NOT_SENT' ? latest.attempt : attempts.length + 1;
}

/** Whether the payment gateway may have registered the account, or has. Then the number must not fail otherwise. */
function mayBeRegistered(locked: LockedRegistration): boolean {
  return locked.effects('REGISTRATION').some((attempt) => isOpen(attempt) || attempt.state === 'DONE');
}

/** Fails the registration in the step in which it is. */
async function failStep(locked: LockedRegistration, resultCode: ResultCode): Promise<void> {
  if (locked.row.step === 'ARS_CALL') {
    locked.note('ARS_CALL_ENDED', 'NOT_PLACED', Math.max(locked.effects('ARS_CALL').length, 1));
    return await locked.end('ARS_AUTH_FAILED', codes.ARS_AUTH_FAILED);
  }
  if (locked.row.step === 'ACCOUNT_HOLDER_CHECK') locked.note('ACCOUNT_HOLDER_CHECKED', resultCode);
  if (locked.row.step === 'CONSENT_EVIDENCE') locked.note('CONSENT_EVIDENCE_STORED', 'NOT_STORED');
  await locked.end('BANK_ACC_REG_FAILED', resultCode);
}

/** Decides an open effect, or one that was taken for absent. */
async function decide(
  locked: LockedRegistration,
  effect: Effect,
  decision: Pick<Effect, 'state' | 'outcome'> & Partial<Pick<Effect, 'callId'>>,
  source: EffectSource,
): Promise<void> {
  await locked.changeEffect(effect, { ...decision, decidedBy: source, decidedAt: locked.now });
}

/** Keeps what was said after the decision, if it says otherwise. The decision stands. */
async function contradict(
  locked: LockedRegistration,
  effect: Effect,
  said: EffectOutcome | 'REGISTERED',
): Promise<void> {
  const decided = effect.state === 'DONE' && effect.kind === 'REGISTRATION' ? 'REGISTERED' : effect.outcome;
  if (said !== decided) await locked.contradict(effect, said);
}

/** Records that the payment gateway has a request: from here on it is not absent. */
async function accept(locked: LockedRegistration, effect: Effect, callId?: string): Promise<void> {
  await locked.changeEffect(effect, { state: 'ACCEPTED', ...(callId !== undefined && { callId }) });
}

/** Whether the payment gateway speaks of another call than the one that it placed. */
function isAnotherCall(
  { callId: placed }: Pick<Effect, 'callId'>,
  said: Partial<Pick<Effect, 'callId'>>,
): boolean {
  return placed !== null && said.callId !== undefined && said.callId !== placed;
}

function notePostponement(
  locked: LockedRegistration,
  { reason, until }: Pick<Postponement, 'reason' | 'until'>,
) {
  locked.note('POSTPONED', reason, 1, until);
}

/** An outage is called that in the timeline. @returns whether it is one */
function noteOutage(locked: LockedRegistration, finding: ArsCallFinding | RegistrationFinding): boolean {
  if (finding.state !== 'NOT_ANSWERED' || !finding.outage) return false;
  notePostponement(locked, finding.outage);
  return true;
}

async function askLater(locked: LockedRegistration, effect: Effect, interval: number) {
  const askAt = new Date(locked.now.getTime() + interval);
  await locked.changeEffect(effect, { asks: effect.asks + 1, askAt });
  locked.renewLease(interval);
  return { wait: { for: 'CALLBACK', milliseconds: interval } as const };
}

function waitForCallback(locked: LockedRegistration, { askAt }: Effect) {
  const milliseconds = Math.max(askAt - locked.now.getTime(), 0);
  locked.renewLease(milliseconds);
  return { claim: 'WAIT', wait: { for: 'CALLBACK', milliseconds } } as const;
}

function waitUntil(
  locked: LockedRegistration,
  until: number,
  reason: 'CALL_AGAIN' | 'OUTSIDE_CALLING_HOURS',
) {
  const milliseconds = Math.max(until - locked.now.getTime(), 0);
  // How long the next request is tried counts from then on.
  locked.change({ triedSince: new Date(until) });
  locked.renewLease(milliseconds);
  return { claim: 'WAIT', wait: { for: 'TIME', reason, milliseconds } } as const;
}

/** How long an outcome may stay unknown counts from the first attempt, whoever asks and in which run. */
function isOverdue(
  [first]: readonly Effect[],
  { paymentGatewayRegistration: { reviewAfter } }: RegistrationPolicy,
  now: Date,
): boolean {
  return first !== undefined && now.getTime() - first.sentAt >= reviewAfter;
}

function beginReview(locked: LockedRegistration) {
  locked.moveTo('REVIEW');
  locked.note('REVIEW_BEGUN', 'UNKNOWN');
  return { claim: 'NOTHING' } as const;
}

async function hasEvidence({ transaction, row }: LockedRegistration): Promise<boolean> {
  const ofNumber = eq(consentEvidence.registrationNumber, row.registrationNumber);
  return (await transaction.$count(consentEvidence, ofNumber)) > 0;
}
