import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { createRegistrationNumber } from '../../api/registrations/registration-number.ts';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import * as schema from '../../database/schema.ts';
import { reseal } from '../fixtures/reseal.ts';
import { erasure, newProject } from './stores-fixture.ts';
import type { StoresFixture } from './stores-fixture.ts';

const decision = { operator: 'kim', reason: 'a court asks for it' };

/** Fills every table: registrations and members in each state that an auditor may meet, and one row at least of the rest. */
export async function fillSmallDatabase(on: StoresFixture): Promise<void> {
  const { stores } = on;
  const { queries } = on.database;
  const { accounts, ledger, legalHolds, projects, registrations } = stores;
  const aspId = 'TESTASP00000001';
  await projects.setNotificationUrl(aspId, 'https://provider.example/results');
  await projects.renewKeys(aspId, { ...newProject, accessKey: 'second', cryptoKeyId: 'second' });
  await projects.retireKeys(aspId);
  await stores.bankWindows.add('004', { daily: { from: 0, until: 60_000 } });
  await stores.bankWindows.add('088', {
    once: { startsAt: new Date('2026-12-01T00:00:00Z'), endsAt: new Date('2026-12-02T00:00:00Z') },
  });

  const user = await on.addMember();
  const [replaced, active, refused] = [
    await on.addRegistration(user),
    await on.addRegistration(user),
    await on.addRegistration(user),
  ];
  for (const number of [replaced, active]) {
    await registrations.begin(number);
    await on.register(number);
  }
  await ledger.recordRemoval(replaced);
  await ledger.orderAutoCharge(active, sandboxPolicy);
  await ledger.claimAutoCharge(active, sandboxPolicy);
  await ledger.recordAutoCharge(active, true);
  await on.fail(refused);
  await legalHolds.hold(active, decision);
  await legalHolds.release(active, decision);
  await legalHolds.hold(active, decision);

  const former = await on.addMember();
  const purged = await on.addRegistration(former);
  await registrations.begin(purged);
  await on.register(purged);
  await accounts.delete(former, purged);
  await ledger.recordRemoval(purged);
  await moveBack(on, purged, new Date('2015-05-05T05:05:05Z'));
  await stores.retention.purgeBatch(new Date());

  const erased = await on.addMember();
  const ofErased = await on.addRegistration(erased);
  await registrations.begin(ofErased);
  await on.register(ofErased);
  await accounts.delete(erased, ofErased);
  await ledger.recordRemoval(ofErased);
  await stores.members.erase(aspId, erased.userId, { ...erasure, beforeRetentionEnds: true });

  const recent = await on.addMember();
  const [withdrawn, open] = [await on.addRegistration(recent), await on.addRegistration(recent)];
  await registrations.withdraw(withdrawn);
  await registrations.begin(open);
  await on.call(open);
  await stores.arsCodes.issue(recent);

  const inReview = await on.addRegistration(await on.addMember());
  await registrations.begin(inReview);
  await on.consent(inReview);
  await ledger.claimRegistration(inReview, () => {}, sandboxPolicy, randomUUID());

  await stores.auditTrail.append({ name: 'kim', origin: 'kim@host' }, [{ action: 'evidence hold' }]);
  await queries.insert(schema.operatorDecisions).values({
    registrationNumber: active,
    decidedAt: new Date(),
    operator: 'kim',
    decision: 'REGISTERED',
    reason: 'the bank says so',
    paymentGatewaySaid: 'IN_PROGRESS',
  });
  await queries
    .insert(schema.rememberedRequests)
    .values({ aspId, digest: 'digest', operation: '/ars/register', registrationNumber: active });
  await queries.insert(schema.reconciliations).values({ reconciliationId: 'first' });
  await queries
    .insert(schema.reconciledRegistrations)
    .values({ reconciliationId: 'first', registrationNumber: active, entryIds: ['entry'] });
  await queries
    .insert(schema.accountChecks)
    .values({ userId: user.userId, checkedOn: '2026-11-26', checks: 1 });
  await queries.insert(schema.payloadKeys).values({ payloadKeyId: 'payload', fingerprint: 'fingerprint' });
}

/** Makes a registration of today one of `at`, with its number and everything that belongs to it. */
async function moveBack(on: StoresFixture, number: string, at: Date): Promise<void> {
  const { queries } = on.database;
  const earlier = createRegistrationNumber(at);
  await queries.transaction(async (transaction) => {
    const ofNumber = eq(schema.registrations.registrationNumber, number);
    const [row] = await transaction.select().from(schema.registrations).where(ofNumber);
    const times = { createdAt: at, begunAt: at, endedAt: at };
    await transaction.delete(schema.effects).where(eq(schema.effects.registrationNumber, number));
    const moved = { ...row!, ...times, registrationNumber: earlier };
    await transaction.insert(schema.registrations).values(moved);
    for (const table of [schema.accounts, schema.consentEvidence, schema.resultNotifications]) {
      await transaction
        .update(table)
        .set({ registrationNumber: earlier })
        .where(eq(table.registrationNumber, number));
    }
    await transaction
      .update(schema.accounts)
      .set({ activatedAt: at, retiredAt: at, removedAt: at })
      .where(eq(schema.accounts.registrationNumber, earlier));
    await transaction.delete(schema.registrations).where(ofNumber);
  });
  await reseal(on);
}
