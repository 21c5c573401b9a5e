import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRegistrationNumber } from '../../api/registrations/registration-number.ts';
import type { RegistrationEnd } from '../../contract/registration.ts';
import { isUniqueViolation } from '../../database/failed-query.ts';
import type { RegistrationFinding } from '../../database/ledger.ts';
import type { Member } from '../../database/members.ts';
import { effects } from '../../database/schema.ts';
import { sandboxPolicy as policy } from '../../development/sandbox/policy.ts';
import { describeStores } from './stores-fixture.ts';

const told = {
  registered: { status: 'BANK_ACC_REGISTERED', resultCode: '000_000' },
  cancelled: { status: 'BANK_ACC_REG_FAILED', resultCode: '002_914' },
  unanswered: { status: 'ARS_AUTH_FAILED', resultCode: '002_014' },
} as const satisfies Record<string, RegistrationEnd>;
const passedCall = { attempt: 2, callId: 'CALL00000002' };

describeStores((on) => {
  const ledger = () => on.stores.ledger;
  beforeAll(async () => {
    await on.stores.incarnations.begin(new Date());
  });

  const rowOf = async (number: string) => (await on.stores.registrations.findAny(number))!;
  const accountOf = async (member: Member, number: string) =>
    (await on.stores.accounts.listOf(member.userId)).find(
      ({ registrationNumber }) => registrationNumber === number,
    )?.state;
  const effectsOf = async (number: string, kind: string) =>
    await on.database.queries
      .select()
      .from(effects)
      .where(sql`registration_number = ${number} and kind = ${kind}`)
      .orderBy(effects.attempt);

  async function rowOfLost(member: Member, registrationNumber: string) {
    return on.stores.registrations.rowOfLost(member, {
      registrationNumber,
      bankCode: '003',
      correlationId: null,
      policyId: await on.stores.policies.keep(policy),
      startedAt: new Date(Date.now() - 3_600_000),
      details: {
        accountNumber: '11012345678',
        bankName: 'IBK',
        holderName: '',
        birthDate: '',
        mobileNumber: '',
        authNumber: '',
      },
    });
  }

  /** Adopts a number that the database does not know. */
  async function adoptLost(
    finding: RegistrationFinding,
    end?: RegistrationEnd,
    member?: Member,
  ): Promise<{ member: Member; number: string }> {
    const owner = member ?? (await on.addMember());
    const number = createRegistrationNumber(new Date());
    const remembered = { told: end, finding, passedCall };
    await ledger().adopt(number, remembered, policy, await rowOfLost(owner, number));
    return { member: owner, number };
  }

  /** A number that the database knows in its ARS call, older than the restore. */
  async function addOlder(): Promise<{ member: Member; number: string }> {
    const member = await on.addMember();
    const number = await on.addRegistration(member);
    await ledger().recordHolderCheck(number, undefined);
    await ledger().claimArsCall(
      number,
      () => ({ phoneNumber: number, isOwnPhone: true, accountNumber: number }),
      policy,
      randomUUID(),
    );
    await on.stores.incarnations.begin(new Date());
    return { member, number };
  }

  describe('a number that is lost', () => {
    it.each([
      ['is registered', { state: 'REGISTERED' }, undefined, '000_000', 'ACTIVE'],
      ['is registered, as was told', { state: 'REGISTERED' }, told.registered, '000_000', 'ACTIVE'],
      ['was told as registered, and is removed', { state: 'REMOVED' }, told.registered, '000_000', 'DELETED'],
      ['was told as cancelled', { state: 'REGISTERED' }, told.cancelled, '002_914', undefined],
      ['was told as failed', { state: 'NOT_FOUND' }, told.unanswered, '002_014', undefined],
      ['was refused', { state: 'REFUSED', resultCode: '002_904' }, undefined, '002_904', undefined],
      ['is not registered', { state: 'NOT_FOUND' }, undefined, '002_912', undefined],
      ['is removed', { state: 'REMOVED' }, undefined, '002_912', undefined],
    ] as const)('%s', async (_, finding, end, resultCode, account) => {
      const { member, number } = await adoptLost(finding, end);
      expect(await rowOf(number)).toMatchObject({ resultCode, step: 'DONE', begunAt: expect.any(Date) });
      expect(await accountOf(member, number)).toBe(account);
      const isRemoved = account !== 'ACTIVE';
      expect(await effectsOf(number, 'REMOVAL')).toHaveLength(isRemoved ? 1 : 0);
      expect(await effectsOf(number, 'ARS_CALL')).toMatchObject([
        { attempt: 2, state: 'DONE', callId: 'CALL00000002' },
      ]);
      const before = await rowOf(number);
      await adoptAgain(number);
      expect(await rowOf(number)).toEqual(before);
    });

    it.each([
      ['the payment gateway denies what was told', { state: 'NOT_FOUND' }, told.registered],
      ['the payment gateway does not know yet', { state: 'IN_PROGRESS' }, undefined],
    ] as const)('is in REVIEW where %s, and is asked about again', async (_, finding, end) => {
      const { member, number } = await adoptLost(finding, end);
      expect(await rowOf(number)).toMatchObject({ step: 'REVIEW', endedAt: null });
      expect(await ledger().waitInReview(number)).toMatchObject({ wait: { for: 'CALLBACK' } });
      await ledger().judgeRegistration(number, await ledger().now(), { state: 'REGISTERED' }, policy);
      expect(await accountOf(member, number)).toBe('ACTIVE');
    });

    async function adoptAgain(number: string): Promise<void> {
      const remembered = { told: told.cancelled, finding: { state: 'NOT_FOUND' }, passedCall } as const;
      await ledger().adopt(number, remembered, policy);
    }

    it('stays lost while another registration of the member is open', async () => {
      const { member, number: open } = await addOlder();
      await on.stores.registrations.begin(open);
      await expect(adoptLost({ state: 'IN_PROGRESS' }, undefined, member)).rejects.toSatisfy((error) =>
        isUniqueViolation(error, 'one_open_registration_per_member'),
      );
      const { number } = await adoptLost({ state: 'REGISTERED' }, undefined, member);
      expect(await accountOf(member, number)).toBe('ACTIVE');
    });
  });

  describe('a number that is known', () => {
    it.each([
      ['was cancelled', { state: 'NOT_FOUND' }, told.cancelled, '002_914', undefined, 'REFUSED'],
      ['failed', { state: 'NOT_FOUND' }, told.unanswered, '002_014', undefined, 'REFUSED'],
      ['was registered', { state: 'REGISTERED' }, told.registered, '000_000', 'ACTIVE', 'SENT'],
    ] as const)('ends as it %s', async (_, finding, end, resultCode, account, call) => {
      const { member, number } = await addOlder();
      await ledger().adopt(number, { told: end, finding, passedCall: undefined }, policy);
      expect(await rowOf(number)).toMatchObject({ resultCode, status: end.status });
      expect(await accountOf(member, number)).toBe(account);
      expect(await effectsOf(number, 'ARS_CALL')).toMatchObject([{ state: call }]);
    });

    it('goes on where the payment gateway denies what was told', async () => {
      const { number } = await addOlder();
      const before = await rowOf(number);
      const remembered = { told: told.registered, finding: { state: 'NOT_FOUND' }, passedCall } as const;
      await ledger().adopt(number, remembered, policy);
      expect(await rowOf(number)).toEqual(before);
    });
  });
});
