import { eq } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { registrations } from '../../database/schema.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import { tables } from './alterations.ts';
import { describeStores, erasure } from './stores-fixture.ts';

/** The columns that have a value of an erased member, by the reason for that. */
const keptOfErased = {
  'The ID of the member is given to nobody else, and its numbers stay answerable': columns(
    'members',
    'userId',
    'aspId',
    'notificationSequence',
    'milestones',
    'seal',
  ),
  'Acts of operators are kept, with reasons that are no member’s data': [
    ...columns('members', 'erasedAt', 'erasedBy', 'erasureReason'),
    ...columns(
      'legalHolds',
      'registrationNumber',
      'ordinal',
      'heldAt',
      'heldBy',
      'reason',
      'releasedAt',
      'releasedBy',
      'releaseReason',
      'seal',
    ),
    ...columns(
      'auditTrail',
      'sequence',
      'at',
      'actor',
      'action',
      'aspId',
      'userId',
      'details',
      'origin',
      'hash',
    ),
  ],
  'The Electronic Financial Transactions Act has the record of a transaction kept for five years': [
    ...columns(
      'registrations',
      'registrationNumber',
      'userId',
      'aspId',
      'bankCode',
      'policyId',
      'status',
      'step',
      'triedSince',
      'resultCode',
      'correlationId',
      'createdAt',
      'begunAt',
      'endedAt',
      'timeline',
      'passedCall',
      'lookAt',
      'replacements',
      'notificationSequence',
      'legalHolds',
      'seal',
    ),
    ...columns(
      'accounts',
      'registrationNumber',
      'userId',
      'accountId',
      'state',
      'activatedAt',
      'retiredAt',
      'removedAt',
      'seal',
    ),
    ...columns(
      'consentEvidence',
      'registrationNumber',
      'callId',
      'attempt',
      'scriptVersion',
      'format',
      'bytes',
      'durationMs',
      'storedAt',
      'seal',
    ),
  ],
  'They order work, and have no personal data': [
    ...columns(
      'effects',
      'registrationNumber',
      'kind',
      'attempt',
      'state',
      'outcome',
      'callId',
      'decidedBy',
      'execution',
      'sentAt',
      'sendBy',
      'settledAt',
      'asks',
      'askAt',
      'decidedAt',
    ),
    ...columns(
      'resultNotifications',
      'registrationNumber',
      'userId',
      'sequence',
      'state',
      'deliveries',
      'redeliveredAfter',
      'nextDeliveryAt',
      'lookAt',
    ),
  ],
  'Nobody can guess a ciphertext': columns(
    'rememberedRequests',
    'aspId',
    'digest',
    'operation',
    'cryptoKeyId',
    'registrationNumber',
    'firstSeenAt',
  ),
};

function columns(table: string, ...names: readonly string[]): string[] {
  return names.map((name) => `${table}.${name}`);
}

describeStores((on) => {
  it('inserts no registration for a member who is erased concurrently', async () => {
    for (let round = 0; round < 20; round++) {
      const member = await on.addMember();
      const [{ state }, number] = await Promise.all([
        on.stores.members.erase(member.aspId, member.userId, erasure),
        on.addRegistration(member).catch((error: Error) => error.message),
      ]);
      const rows = await on.database.queries.$count(registrations, eq(registrations.userId, member.userId));
      expect([state, rows]).toEqual(number === 'not added' ? ['ERASED', 0] : ['BEING_REGISTERED', 1]);
    }
    const erased = await on.addMember();
    await on.stores.members.erase(erased.aspId, erased.userId, erasure);
    await expect(on.addRegistration(erased)).rejects.toThrow('not added');
  });

  it('keeps of an erased member only what identifies nobody and confirms no guess', async () => {
    const { stores } = on;
    const member = await on.addMember();
    const { aspId, userId } = member;
    await stores.projects.setNotificationUrl(aspId, 'https://provider.example/results');
    const number = await on.addRegistration(member);
    await stores.registrations.begin(number);
    await on.register(number);
    await stores.arsCodes.issue(member);
    await stores.accountChecks.count(userId, 9);
    const request = await stores.rememberedRequests.rememberKey(aspId, 'key', '/ars/register', { userId });
    const sealedRequest = await stores.rememberedRequests.rememberCiphertext(
      aspId,
      'JWE',
      '/ars/register',
      'key',
    );
    for (const one of [request, sealedRequest]) await stores.rememberedRequests.bind(one, number);
    await stores.legalHolds.hold(number, erasure);
    await stores.legalHolds.release(number, erasure);
    await stores.accounts.delete(member, number);
    await stores.ledger.recordRemoval(number);
    await stores.auditTrail.append({ name: 'kim', origin: 'x' }, [{ action: 'member erase', aspId, userId }]);
    const early = { ...erasure, beforeRetentionEnds: true };
    expect(await stores.members.erase(aspId, userId, early)).toEqual({ state: 'ERASED' });

    const left = new Set<string>();
    for (const [name, table] of tables) {
      const rows: Record<string, unknown>[] = await on.database.queries.select().from(table);
      const ofIt = rows.filter((row) => [userId, number].some((id) => Object.values(row).includes(id)));
      for (const row of ofIt)
        for (const [column, value] of Object.entries(row)) if (value !== null) left.add(`${name}.${column}`);
    }
    expect([...left].toSorted()).toEqual(Object.values(keptOfErased).flat().toSorted());
  });

  it('leaves a member unchanged when it is added again', async () => {
    const { userId, facts } = await on.addMember();
    await on.stores.members.add('TESTASP00000001', [{ ...inventMember('4711'), userId }]);
    await on.stores.members.add('TESTASP00000002', [{ ...inventMember('4711'), userId }]);
    expect((await on.stores.members.find('TESTASP00000001', userId))?.facts).toEqual(facts);
  });

  it('shows a service provider nothing of another one', async () => {
    const member = await on.addMember();
    const number = await on.addRegistration(member);
    await on.stores.registrations.begin(number);
    expect(await on.stores.registrations.find('TESTASP00000001', number)).toMatchObject({
      userId: member.userId,
    });
    expect(await on.stores.registrations.find('TESTASP00000002', number)).toBeUndefined();
    expect(await on.stores.members.find('TESTASP00000002', member.userId)).toBeUndefined();
    const listed = await on.stores.registrations.list('TESTASP00000002', { limit: 100 });
    expect(listed).toEqual([]);
  });
});
