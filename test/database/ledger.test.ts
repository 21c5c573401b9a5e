import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { startHousekeeping } from '../../api/registrations/housekeeping.ts';
import type { Member } from '../../database/members.ts';
import { DatabaseRestored } from '../../database/incarnations.ts';
import type { RegistrationFinding } from '../../database/ledger.ts';
import type { DatabaseFailover } from '../../database/incarnations.ts';
import { AlteredRow } from '../../database/row-seals.ts';
import { accounts, effects, incarnations, registrations } from '../../database/schema.ts';
import { productionPolicy } from '../../contract/registration-policy.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';
import { createLog } from '../../runtime/log.ts';
import { reseal } from '../fixtures/reseal.ts';
import { describeStores, inventedEvidence } from './stores-fixture.ts';

const registered = { state: 'REGISTERED' } as const;
const policy: RegistrationPolicy = {
  ...productionPolicy,
  arsCall: { ...productionPolicy.arsCall, callingHours: undefined },
};

describeStores((on) => {
  const ledger = () => on.stores.ledger;

  async function addRegistration(member?: Member): Promise<string> {
    return await on.addRegistration(member ?? (await on.addMember()));
  }
  const claimCall = (number: string) =>
    ledger().claimArsCall(
      number,
      () => ({ phoneNumber: number, isOwnPhone: true, accountNumber: number }),
      policy,
      randomUUID(),
    );
  const claimRegistration = (number: string, execution: string = randomUUID()) =>
    ledger().claimRegistration(number, () => {}, policy, execution);

  /** A registration whose member is about to be called. */
  async function addMatched(member?: Member): Promise<string> {
    const number = await addRegistration(member);
    await on.stores.registrations.begin(number);
    await ledger().recordHolderCheck(number, undefined);
    return number;
  }

  /** A registration whose evidence is stored. */
  async function addConsented(member?: Member): Promise<string> {
    const number = await addMatched(member);
    await claimCall(number);
    await ledger().decideArsCall(number, 1, { callId: 'CALL00000001', outcome: 'PASSED' }, 'CALLBACK');
    const opened = await on.stores.registrations.openAny(number);
    await on.stores.consentEvidence.store(opened.member.cipher, {
      ...inventedEvidence,
      registrationNumber: number,
    });
    await ledger().recordEvidence(number);
    return number;
  }

  const effectsOf = (number: string, kind: 'ARS_CALL' | 'REGISTRATION' | 'REMOVAL') =>
    on.database.queries
      .select()
      .from(effects)
      .where(sql`registration_number = ${number} and kind = ${kind}`)
      .orderBy(effects.attempt);
  const storedRow = async (number: string) => {
    const ofIt = eq(registrations.registrationNumber, number);
    return (await on.database.queries.select().from(registrations).where(ofIt))[0]!;
  };
  const rowOf = async (number: string) => (await on.stores.registrations.findAny(number))!;

  /** Moves the times of all attempts so far into the past, by ms. */
  async function age(number: string, milliseconds: number): Promise<void> {
    const earlier = sql`interval '1 millisecond' * ${milliseconds}`;
    await on.database.queries
      .update(effects)
      .set({
        sentAt: sql`${effects.sentAt} - ${earlier}`,
        sendBy: sql`${effects.sendBy} - ${earlier}`,
        settledAt: sql`${effects.settledAt} - ${earlier}`,
      })
      .where(eq(effects.registrationNumber, number));
  }

  describe('an ARS call', () => {
    it('is sent by one of ten concurrent claims, and waited for by the others', async () => {
      const number = await addMatched();
      const claims = await Promise.all(Array.from({ length: 10 }, () => claimCall(number)));
      expect(claims.map(({ claim }) => claim).toSorted()).toEqual([
        'SEND',
        ...Array.from({ length: 9 }, () => 'WAIT'),
      ]);
      expect(await effectsOf(number, 'ARS_CALL')).toHaveLength(1);
    });

    it('is not sent for a number that has ended', async () => {
      const number = await addMatched();
      await ledger().cancel(number);
      expect(await claimCall(number)).toMatchObject({ claim: 'NOTHING' });
      expect(await effectsOf(number, 'ARS_CALL')).toEqual([]);
    });

    it('is decided once; a later word that differs is kept beside it', async () => {
      const number = await addMatched();
      await claimCall(number);
      await ledger().decideArsCall(number, 1, { callId: 'CALL00000001', outcome: 'PASSED' }, 'CALLBACK');
      await ledger().decideArsCall(number, 1, { callId: 'CALL00000002', outcome: 'HUNG_UP' }, 'CALLBACK');
      expect(await effectsOf(number, 'ARS_CALL')).toMatchObject([
        { state: 'DONE', outcome: 'PASSED', callId: 'CALL00000001', contradiction: 'HUNG_UP' },
      ]);
      expect(await rowOf(number)).toMatchObject({ status: 'ARS_AUTH_DONE', step: 'CONSENT_EVIDENCE' });
    });

    it('is decided only by what is said of the call that was placed', async () => {
      const number = await addMatched();
      await claimCall(number);
      await ledger().recordSent(number, 'ARS_CALL', 1, { state: 'ACCEPTED', callId: 'CALL00000001' });
      const another = { callId: 'CALL00000002', outcome: 'PASSED' } as const;
      const word = await ledger().decideArsCall(number, 1, another, 'CALLBACK');
      expect(word).toMatchObject({ isKnown: false });
      await ledger().judgeArsCall(number, 1, await ledger().now(), { state: 'ENDED', ...another }, policy);
      expect(await effectsOf(number, 'ARS_CALL')).toMatchObject([
        { state: 'ACCEPTED', callId: 'CALL00000001' },
      ]);
      expect(await rowOf(number)).toMatchObject({ status: 'ARS_AUTH_IN_PROGRESS', step: 'ARS_CALL' });
    });

    it('that a callback decided before its answer came keeps it, if the answer names another call', async () => {
      const number = await addMatched();
      await claimCall(number);
      await ledger().decideArsCall(number, 1, { callId: 'CALL00000001', outcome: 'HUNG_UP' }, 'CALLBACK');
      for (const callId of ['CALL00000001', 'CALL00000002'])
        await ledger().recordSent(number, 'ARS_CALL', 1, { state: 'ACCEPTED', callId });
      expect(await effectsOf(number, 'ARS_CALL')).toMatchObject([
        { state: 'REFUSED', callId: 'CALL00000001', contradiction: 'ANOTHER_CALL' },
      ]);
    });

    it('that is under way does not stand against a cancellation, and passes too late', async () => {
      const number = await addMatched();
      await claimCall(number);
      expect(await ledger().cancel(number)).toMatchObject({ ended: true });
      await ledger().decideArsCall(number, 1, { callId: 'CALL00000001', outcome: 'PASSED' }, 'CALLBACK');
      expect(await effectsOf(number, 'ARS_CALL')).toMatchObject([
        { state: 'REFUSED', outcome: 'CANCELLED', contradiction: 'PASSED' },
      ]);
      expect(await rowOf(number)).toMatchObject({ resultCode: '002_914', step: 'DONE' });
    });

    it('is made again after the wait of its outcome, and not before', async () => {
      const number = await addMatched();
      await claimCall(number);
      await ledger().decideArsCall(number, 1, { callId: 'CALL00000001', outcome: 'NO_ANSWER' }, 'CALLBACK');
      expect(await claimCall(number)).toMatchObject({ claim: 'WAIT', wait: { reason: 'CALL_AGAIN' } });
      await on.database.queries
        .update(effects)
        .set({ decidedAt: sql`${effects.decidedAt} - interval '2 minutes'` })
        .where(eq(effects.registrationNumber, number));
      expect(await claimCall(number)).toMatchObject({ claim: 'SEND', attempt: 2 });
    });
  });

  describe('an attempt to register', () => {
    it('needs stored evidence', async () => {
      const number = await addConsented();
      await on.database.queries.execute(
        sql`delete from consent_evidence where registration_number = ${number}`,
      );
      expect(await claimRegistration(number)).toMatchObject({ claim: 'NOTHING', ended: true });
      expect(await rowOf(number)).toMatchObject({ resultCode: '002_910' });
      expect(await effectsOf(number, 'REGISTRATION')).toEqual([]);
    });

    it('is absent only if the question was put after it had settled, whenever the answer comes', async () => {
      const number = await addConsented();
      await claimRegistration(number);
      const askedTooEarly = await ledger().now();
      await age(number, policy.effects.sendLimit + policy.effects.settleTime);
      const notFound = { state: 'NOT_FOUND' } as const;
      await ledger().judgeRegistration(number, new Date(askedTooEarly.getTime() - 60_000), notFound, policy);
      expect(await effectsOf(number, 'REGISTRATION')).toMatchObject([{ state: 'SENT' }]);
      expect(await claimRegistration(number)).toMatchObject({ claim: 'WAIT' });
      // Twice: the answer to the first commit may get lost. Neither leaves the registration waiting.
      for (let time = 0; time < 2; time++) {
        const judged = await ledger().judgeRegistration(number, await ledger().now(), notFound, policy);
        expect(judged.wait).toBeUndefined();
        expect(await effectsOf(number, 'REGISTRATION')).toMatchObject([{ state: 'ABSENT' }]);
      }
      expect(await claimRegistration(number)).toMatchObject({ claim: 'SEND', attempt: 2 });
    });

    it('is never absent once the payment gateway has accepted it', async () => {
      const number = await addConsented();
      await claimRegistration(number);
      await ledger().recordSent(number, 'REGISTRATION', 1, { state: 'ACCEPTED' });
      await age(number, 3_600_000);
      await ledger().judgeRegistration(number, await ledger().now(), { state: 'NOT_FOUND' }, policy);
      expect(await effectsOf(number, 'REGISTRATION')).toMatchObject([{ state: 'ACCEPTED' }]);
    });

    it('that never left is sent again under its number, by the word of its own execution only', async () => {
      const number = await addConsented();
      const execution = randomUUID();
      await claimRegistration(number, execution);
      await ledger().markNotSent(number, 'REGISTRATION', randomUUID());
      expect(await claimRegistration(number)).toMatchObject({ claim: 'WAIT' });
      await ledger().markNotSent(number, 'REGISTRATION', execution);
      expect(await claimRegistration(number)).toMatchObject({ claim: 'SEND', attempt: 1 });
    });

    it('stands against a cancellation while it may have arrived', async () => {
      const number = await addConsented();
      await claimRegistration(number);
      expect(await ledger().cancel(number)).toMatchObject({ ended: false });
      expect((await rowOf(number)).endedAt).toBeNull();
    });

    it('or a cancellation: one of the two wins when both come at once', async () => {
      for (let round = 0; round < 5; round++) {
        const number = await addConsented();
        const [claim, cancelled] = await Promise.all([claimRegistration(number), ledger().cancel(number)]);
        expect(cancelled.ended).toBe(claim.claim !== 'SEND');
      }
    });

    it('that is registered after the number has failed is removed again', async () => {
      const number = await addConsented();
      await claimRegistration(number);
      await age(number, 3_600_000);
      await ledger().judgeRegistration(number, await ledger().now(), { state: 'NOT_FOUND' }, policy);
      await ledger().cancel(number);
      const late = await ledger().decideRegistration(number, registered, 'CALLBACK');
      expect(late.followUps).toEqual([{ kind: 'REMOVAL', registrationNumber: number }]);
      expect(await ledger().isRemovable(number)).toBe(true);
      expect(await effectsOf(number, 'REMOVAL')).toMatchObject([{ state: 'SENT' }]);
      expect(await rowOf(number)).toMatchObject({ resultCode: '002_914' });
    });

    it('whose late verdict meets one that was never sent keeps its account', async () => {
      const number = await addConsented();
      const execution = randomUUID();
      await claimRegistration(number);
      await age(number, 3_600_000);
      await ledger().judgeRegistration(number, await ledger().now(), { state: 'NOT_FOUND' }, policy);
      await claimRegistration(number, execution);
      await ledger().markNotSent(number, 'REGISTRATION', execution);
      const late = await ledger().decideRegistration(number, registered, 'CALLBACK');
      expect(late).toMatchObject({ ended: true, followUps: [] });
      expect(await effectsOf(number, 'REMOVAL')).toEqual([]);
      expect(await rowOf(number)).toMatchObject({ status: 'BANK_ACC_REGISTERED' });
    });

    it('is removed again if it turns up after its removal', async () => {
      const number = await addConsented();
      await claimRegistration(number);
      await age(number, 3_600_000);
      await ledger().judgeRegistration(number, await ledger().now(), { state: 'NOT_FOUND' }, policy);
      await ledger().cancel(number);
      for (let time = 0; time < 2; time++) {
        await ledger().decideRegistration(number, registered, 'CALLBACK');
        expect(await effectsOf(number, 'REMOVAL')).toMatchObject([{ state: 'SENT' }]);
        await ledger().recordRemoval(number);
        expect(await effectsOf(number, 'REMOVAL')).toMatchObject([{ state: 'DONE' }]);
      }
    });

    it('that was absent ends its review when the payment gateway refuses it after all', async () => {
      const number = await addConsented();
      await claimRegistration(number);
      await age(number, 25 * 3_600_000);
      const judge = async (finding: RegistrationFinding) =>
        ledger().judgeRegistration(number, await ledger().now(), finding, policy);
      await judge({ state: 'NOT_ANSWERED' });
      expect((await rowOf(number)).step).toBe('REVIEW');
      await judge({ state: 'NOT_FOUND' });
      expect(await effectsOf(number, 'REGISTRATION')).toMatchObject([{ state: 'ABSENT' }]);
      await judge({ state: 'REFUSED', resultCode: '002_903' });
      expect(await rowOf(number)).toMatchObject({ step: 'DONE', resultCode: '002_903' });
    });

    it('that an operator takes for not registered is removed, even if it was absent when asked about', async () => {
      const number = await addConsented();
      await claimRegistration(number);
      await age(number, 25 * 3_600_000);
      for (const state of ['NOT_ANSWERED', 'NOT_FOUND'] as const)
        await ledger().judgeRegistration(number, await ledger().now(), { state }, policy);
      expect(await effectsOf(number, 'REGISTRATION')).toMatchObject([{ state: 'ABSENT' }]);
      const decision = { operator: 'kim', reason: 'asked', paymentGatewaySaid: 'REGISTERED' };
      await ledger().resolve(number, { verdict: 'NOT_REGISTERED', ...decision });
      expect(await rowOf(number)).toMatchObject({ step: 'DONE', resultCode: '002_912' });
      expect(await ledger().isRemovable(number)).toBe(true);
      expect(await effectsOf(number, 'REMOVAL')).toMatchObject([{ state: 'SENT' }]);
    });

    it('is reviewed after five that were absent, and a day after the first', async () => {
      const exhausted = await addConsented();
      for (let attempt = 1; attempt <= 5; attempt++) {
        expect(await claimRegistration(exhausted)).toMatchObject({ claim: 'SEND', attempt });
        await age(exhausted, 3_600_000);
        await ledger().judgeRegistration(exhausted, await ledger().now(), { state: 'NOT_FOUND' }, policy);
      }
      expect(await claimRegistration(exhausted)).toMatchObject({ claim: 'NOTHING' });
      const overdue = await addConsented();
      await claimRegistration(overdue);
      await age(overdue, 24 * 3_600_000);
      await claimRegistration(overdue);
      for (const number of [exhausted, overdue]) expect((await rowOf(number)).step).toBe('REVIEW');
    });
  });

  describe('a registration', () => {
    it('begins only if no other one of the member is open, and cannot be withdrawn then', async () => {
      const member = await on.addMember();
      const [first, second] = [await addRegistration(member), await addRegistration(member)];
      expect(await on.stores.registrations.begin(first)).toBe('BEGUN');
      expect(await on.stores.registrations.begin(first)).toBe('BEGUN');
      expect(await on.stores.registrations.begin(second)).toBe('MEMBER_BUSY');
      expect(await on.stores.registrations.withdraw(first)).toBe(false);
      expect(await on.stores.registrations.withdraw(second)).toBe(true);
      expect(await on.stores.registrations.begin(second)).toBe('WITHDRAWN');
      expect(await on.stores.registrations.find(member.aspId, second)).toBeUndefined();
    });

    it('that is begun as it was seen needs no lock, and goes on if it was changed meanwhile', async () => {
      const { registrations: store } = on.stores;
      const [first, second] = [await addRegistration(await on.addMember()), await addMatched()];
      const seen = await storedRow(first);
      expect(await store.begin(first, seen)).toBe('BEGUN');
      const { begunAt } = await storedRow(first);
      expect(begunAt).toBeInstanceOf(Date);
      expect(await store.begin(first, seen)).toBe('BEGUN');
      expect((await storedRow(first)).begunAt).toEqual(begunAt);
      const altered = { ...(await storedRow(second)), bankCode: '088' };
      await expect(store.begin(second, altered)).rejects.toThrow(AlteredRow);
      const withdrawn = await addRegistration(await on.addMember());
      const before = await storedRow(withdrawn);
      await store.withdraw(withdrawn);
      expect(await store.begin(withdrawn, before)).toBe('WITHDRAWN');
    });

    it('is not withdrawn, whoever has emptied its beginning or put it back as it was before', async () => {
      const { registrations: store } = on.stores;
      const number = await addRegistration(await on.addMember());
      const ofIt = eq(registrations.registrationNumber, number);
      const before = await storedRow(number);
      await store.begin(number);
      await on.call(number);
      await on.database.queries.update(registrations).set({ begunAt: null }).where(ofIt);
      await expect(store.withdraw(number)).rejects.toThrow(AlteredRow);
      await on.database.queries.update(registrations).set(before).where(ofIt);
      expect(await store.withdraw(number)).toBe(false);
    });

    it('is shown to nobody before it has begun, except one that was cancelled before', async () => {
      const { registrations: store } = on.stores;
      const member = await on.addMember();
      const [cancelled, number] = [await addRegistration(member), await addRegistration(member)];
      const listed = async () =>
        (await store.list(member.aspId, { limit: 1_000 }))
          .filter(({ userId }) => userId === member.userId)
          .map(({ registrationNumber }) => registrationNumber);
      for (const hidden of [cancelled, number]) {
        expect(await store.find(member.aspId, hidden)).toBeUndefined();
        expect(await store.findAny(hidden)).toBeUndefined();
      }
      expect(await listed()).toEqual([]);
      await ledger().cancel(cancelled);
      expect(await store.withdraw(cancelled)).toBe(false);
      expect(await store.begin(number)).toBe('BEGUN');
      for (const shown of [cancelled, number]) {
        expect(await store.find(member.aspId, shown)).toBeDefined();
        expect(await store.findAny(shown)).toBeDefined();
      }
      expect(await listed()).toEqual([cancelled, number].toSorted().toReversed());
    });

    it('is overdue once nothing was heard of its run, and is taken by one of several sweeps', async () => {
      const number = await addMatched();
      expect(await on.stores.registrations.takeOverdue(1_000)).toEqual([]);
      expect(await on.stores.registrations.makeOverdue(number)).toBe(1);
      const taken = await Promise.all([1, 2, 3].map(() => on.stores.registrations.takeOverdue(1_000)));
      expect(taken.flat().map(({ registrationNumber }) => registrationNumber)).toEqual([number]);
      await ledger().cancel(number);
      expect(await on.stores.registrations.makeOverdue(number)).toBe(0);
    });
  });

  it('a registration whose run is heard of again is looked for after a minute again, not after two', async () => {
    const number = await addMatched();
    await on.stores.registrations.begin(number);
    for (const replacements of [1, 2]) {
      await on.database.queries
        .update(registrations)
        .set({ lookAt: sql`clock_timestamp() - interval '1 second'` })
        .where(eq(registrations.registrationNumber, number));
      expect(await on.stores.registrations.takeOverdue(1_000)).toHaveLength(1);
      expect(await rowOf(number)).toMatchObject({ replacements });
    }
    await ledger().read(number);
    expect(await rowOf(number)).toMatchObject({ replacements: 0 });
  });

  describe('the effects of a registration', () => {
    /** Moves all its times 91 days into the past. */
    async function makeOld(number: string): Promise<void> {
      const old = sql`interval '91 days'`;
      await on.database.queries
        .update(effects)
        .set({ decidedAt: sql`${effects.decidedAt} - ${old}` })
        .where(eq(effects.registrationNumber, number));
      await on.database.queries
        .update(registrations)
        .set({
          createdAt: sql`${registrations.createdAt} - ${old}`,
          endedAt: sql`${registrations.endedAt} - ${old}`,
        })
        .where(eq(registrations.registrationNumber, number));
      await reseal(on);
    }
    const countOf = (number: string) =>
      on.database.queries.$count(effects, eq(effects.registrationNumber, number));

    async function addRefused(): Promise<string> {
      const number = await addConsented();
      await claimRegistration(number);
      await ledger().decideRegistration(number, { state: 'REFUSED', resultCode: '002_016' }, 'ANSWER');
      return number;
    }

    async function addRegistered(): Promise<{ member: Member; number: string }> {
      const member = await on.addMember();
      const number = await addRegistration(member);
      await on.register(number);
      return { member, number };
    }

    it('are deleted 90 days after its end, unless something of it is open', async () => {
      const [refused, inUse, removed] = [await addRefused(), await addRegistered(), await addRegistered()];
      await on.stores.accounts.delete(removed.member, removed.number);
      await ledger().recordRemoval(removed.number);
      const [recent, removing, review] = [await addRefused(), await addRegistered(), await addConsented()];
      await on.stores.accounts.delete(removing.member, removing.number);
      await claimRegistration(review);
      await age(review, 24 * 3_600_000);
      await ledger().judgeRegistration(review, await ledger().now(), { state: 'NOT_FOUND' }, policy);
      await claimRegistration(review);
      const [gone, kept] = [
        [refused, inUse.number, removed.number],
        [removing.number, review],
      ];
      for (const number of [...gone, ...kept]) await makeOld(number);

      expect(await ledger().deleteOld(2)).toBe(7);
      expect(await Promise.all(gone.map(countOf))).toEqual([0, 0, 0]);
      expect(await Promise.all([recent, ...kept].map(countOf))).toEqual([2, 3, 2]);
      expect((await rowOf(review)).step).toBe('REVIEW');
      expect(await ledger().decideRegistration(review, registered, 'CALLBACK')).toMatchObject({
        ended: true,
      });
      await ledger().recordRemoval(removing.number);
      // What is said about a number afterwards changes nothing.
      const late = await ledger().decideRegistration(refused, registered, 'CALLBACK');
      expect(late).toMatchObject({ isKnown: false, ended: false, followUps: [] });
      expect(await on.stores.accounts.delete(inUse.member, inUse.number)).toMatchObject({
        state: 'DELETED',
      });
    });

    it('are deleted although an auto charge got no answer, once that has settled as long ago', async () => {
      const { number } = await addRegistered();
      await ledger().orderAutoCharge(number, policy);
      await ledger().claimAutoCharge(number, policy);
      await makeOld(number);
      await ledger().deleteOld();
      expect(await countOf(number)).toBe(3);
      await age(number, 91 * 24 * 3_600_000);
      await ledger().deleteOld();
      expect(await countOf(number)).toBe(0);
    });

    it('are deleted by the housekeeping, which says how many', async () => {
      const number = await addRefused();
      await makeOld(number);
      const lines: string[] = [];
      const log = createLog('housekeeping', 'info', (line) => lines.push(line));
      const stop = startHousekeeping({ ...on, log });
      await expect
        .poll(() => lines.join('\n'))
        .toMatch(/"deleted":\d+.*deleted the effects of registrations/);
      stop();
      expect(await countOf(number)).toBe(0);
    });
  });

  describe('a deletion', () => {
    it('is refused while a registration is open, and succeeds again within a day', async () => {
      const member = await on.addMember();
      const number = await addRegistration(member);
      await on.register(number);
      const open = await addRegistration(member);
      await on.stores.registrations.begin(open);
      expect(await on.stores.accounts.delete(member, number)).toEqual({
        state: 'BUSY',
        registrationNumber: open,
      });
      await ledger().cancel(open);
      const deleted = { state: 'DELETED', registrationNumber: number };
      expect(await on.stores.accounts.delete(member, number)).toEqual(deleted);
      expect(await on.stores.accounts.delete(member, number)).toEqual(deleted);
      expect(await effectsOf(number, 'REMOVAL')).toHaveLength(1);
      await on.database.queries
        .update(accounts)
        .set({ retiredAt: sql`clock_timestamp() - interval '25 hours'` })
        .where(eq(accounts.registrationNumber, number));
      await reseal(on);
      expect(await on.stores.accounts.delete(member, number)).toEqual({ state: 'NO_ACCOUNT' });
    });

    it('meant for an account that has a successor deletes nothing', async () => {
      const member = await on.addMember();
      const number = await addRegistration(member);
      await on.register(number);
      const newer = await addRegistration(member);
      await on.register(newer);
      expect(await on.stores.accounts.delete(member, number)).toEqual({ state: 'BUSY' });
      expect(await on.stores.accounts.findActive(member)).toMatchObject({ registrationNumber: newer });
    });

    it('is refused while the account is being registered for auto charge', async () => {
      const member = await on.addMember();
      const number = await addRegistration(member);
      await on.register(number);
      expect(await ledger().claimAutoCharge(number, policy)).toBe('NONE');
      await ledger().orderAutoCharge(number, policy);
      expect(await ledger().claimAutoCharge(number, policy)).toBe('SEND');
      await ledger().orderAutoCharge(number, policy);
      expect(await on.stores.accounts.delete(member, number)).toEqual({ state: 'BUSY' });
      await ledger().recordAutoCharge(number, true);
      expect(await ledger().claimAutoCharge(number, policy)).toBe('DONE');
      expect(await on.stores.accounts.delete(member, number)).toMatchObject({ state: 'DELETED' });
      expect(await ledger().claimAutoCharge(number, policy)).toBe('NONE');
    });
  });

  describe('after a restore', () => {
    const otherTimeline = () => on.database.queries.update(incarnations).set({ timeline: '00000000' });

    it('nothing is sent until an operator has said so; then older numbers are asked about first', async () => {
      const [number, consented] = [await addMatched(), await addConsented()];
      await otherTimeline();
      await expect(claimCall(number)).rejects.toThrow(DatabaseRestored);
      await expect(claimRegistration(consented)).rejects.toThrow(DatabaseRestored);
      expect(await effectsOf(number, 'ARS_CALL')).toEqual([]);

      await on.stores.incarnations.begin(new Date(Date.now() - 300_000));
      for (const attempt of [1, 2]) {
        expect(await claimCall(number)).toMatchObject({ claim: 'WAIT', wait: { milliseconds: 0 } });
        const ended = { state: 'ENDED', callId: 'CALL00000001', outcome: 'NO_ANSWER' } as const;
        if (attempt === 2) break;
        await ledger().judgeArsCall(number, attempt, await ledger().now(), ended, policy);
        await on.database.queries
          .update(effects)
          .set({ decidedAt: sql`${effects.decidedAt} - interval '2 minutes'` })
          .where(eq(effects.registrationNumber, number));
      }
      await age(number, 3_600_000);
      await ledger().judgeArsCall(number, 2, await ledger().now(), { state: 'NOT_FOUND' }, policy);
      expect(await claimCall(number)).toMatchObject({ claim: 'SEND', attempt: 3 });

      const newer = await addMatched();
      expect(await claimCall(newer)).toMatchObject({ claim: 'SEND', attempt: 1 });
    });

    it('that lost something, a failure is followed by a removal, in case a lost attempt registered the account', async () => {
      const [number, arrived] = [await addMatched(), await addConsented()];
      await on.stores.incarnations.begin(new Date());
      await on.stores.incarnations.begin(null);
      await ledger().cancel(number);
      expect(await effectsOf(number, 'REMOVAL')).toMatchObject([{ state: 'SENT' }]);
      await claimRegistration(arrived);
      await ledger().decideRegistration(arrived, registered, 'CALLBACK');
      expect(await effectsOf(arrived, 'REMOVAL')).toEqual([]);
      const newer = await addMatched();
      await ledger().cancel(newer);
      expect(await effectsOf(newer, 'REMOVAL')).toEqual([]);
    });

    it('and before an operator has said so, nothing ends and no account is registered for auto charge', async () => {
      const [number, account] = [await addMatched(), await addRegistration()];
      await on.register(account);
      await otherTimeline();
      await expect(ledger().cancel(number)).rejects.toThrow(DatabaseRestored);
      await expect(ledger().claimAutoCharge(account, policy)).rejects.toThrow(DatabaseRestored);
      expect((await rowOf(number)).endedAt).toBeNull();
      await on.stores.incarnations.begin(null);
    });

    it('an older account that comes back does not replace a newer one', async () => {
      const member = await on.addMember();
      const lost = await addConsented(member);
      await claimRegistration(lost);
      const newer = await addRegistration(member);
      await on.register(newer);
      await ledger().decideRegistration(lost, { state: 'REGISTERED' }, 'OPERATOR');
      expect(await on.stores.accounts.findActive(member)).toMatchObject({ registrationNumber: newer });
      expect(await effectsOf(lost, 'REMOVAL')).toMatchObject([{ state: 'SENT' }]);
      expect(await on.stores.accounts.delete(member, newer)).toMatchObject({
        registrationNumber: newer,
      });
    });

    it('that lost nothing, everything goes on; numbers of notifications are never used twice', async () => {
      await otherTimeline();
      const { firstSequence } = await on.stores.incarnations.begin(null);
      const number = await addMatched();
      expect(await claimCall(number)).toMatchObject({ claim: 'SEND' });
      const { firstSequence: jumped } = await on.stores.incarnations.begin(new Date());
      expect(jumped).toBeGreaterThan(firstSequence);
    });
  });

  describe('after a failover', () => {
    const previousTimeline = () =>
      on.database.queries
        .update(incarnations)
        .set({
          timeline: sql`lpad(upper(to_hex(('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int - 1)), 8, '0')`,
        })
        .where(eq(incarnations.incarnation, sql`(select max(incarnation) from incarnations)`));
    const look = (failover: DatabaseFailover) => on.stores.incarnations.look(failover);
    const lives = () => on.database.queries.$count(incarnations);

    it('that loses nothing, one of several processes begins a new life, and everything goes on', async () => {
      const number = await addMatched();
      await previousTimeline();
      const before = await lives();
      expect(await look('asynchronous')).toBe('RESTORED');
      await expect(claimCall(number)).rejects.toThrow(DatabaseRestored);
      const found = await Promise.all(Array.from({ length: 10 }, () => look('synchronous')));
      expect(found.filter((each) => each !== 'KNOWN')).toEqual(['FAILED_OVER']);
      expect(await lives()).toBe(before + 1);
      expect(await look('synchronous')).toBe('KNOWN');
      expect(await claimCall(number)).toMatchObject({ claim: 'SEND' });
    });

    it('another cluster, or a timeline further on, is a restore whatever the setting', async () => {
      await previousTimeline();
      await on.database.queries.update(incarnations).set({ systemIdentifier: '1' });
      expect(await look('synchronous')).toBe('RESTORED');
      await on.stores.incarnations.begin(null);
      await on.database.queries.update(incarnations).set({ timeline: '0000FFFF' });
      expect(await look('synchronous')).toBe('RESTORED');
      await on.stores.incarnations.begin(null);
      expect(await look('asynchronous')).toBe('KNOWN');
    });
  });

  it('keeps the timeline with every change, repeats of an inquiry as one entry', async () => {
    const number = await addConsented();
    await claimRegistration(number);
    for (let time = 0; time < 3; time++) {
      await ledger().judgeRegistration(number, await ledger().now(), { state: 'IN_PROGRESS' }, policy);
    }
    await ledger().decideRegistration(number, registered, 'CALLBACK');
    const { timeline } = await rowOf(number);
    expect(timeline.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      'ACCEPTED ACCEPTED',
      'ACCOUNT_HOLDER_CHECKED MATCHED',
      'ARS_CALL_PLACED PLACED',
      'ARS_CALL_ENDED PASSED',
      'CONSENT_EVIDENCE_STORED STORED',
      'REGISTRATION_INQUIRED IN_PROGRESS',
      'REGISTRATION_TOLD REGISTERED',
      'ENDED 000_000',
    ]);
    expect(
      await on.database.queries.$count(registrations, eq(registrations.registrationNumber, number)),
    ).toBe(1);
  });
});
