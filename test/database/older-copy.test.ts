import { openAsBlob } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { beforeEach, expect, inject, it } from 'vitest';
import { createRegistrationNumber } from '../../api/registrations/registration-number.ts';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { migrationsFolder } from '../../database/database.ts';
import { createIncarnations } from '../../database/incarnations.ts';
import * as schema from '../../database/schema.ts';
import { createStores } from '../../database/stores.ts';
import type { Stores } from '../../database/stores.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import { sandboxPolicy as policy } from '../../development/sandbox/policy.ts';
import { newProject, oldKey } from './stores-fixture.ts';

/** Copying a disk takes long on a busy machine. */
const slow = { timeout: 180_000 };
const aspId = 'TESTASP00000001';
let number: string;
let pglite: PGlite;
let stores: Stores;

/** Opens a disk. Its cluster and timeline are those of the disk that it was copied from. */
async function open(disk: Blob): Promise<void> {
  pglite = await PGlite.create({ loadDataDir: disk });
  stores = createStores(drizzle(pglite, { schema }), oldKey);
}

const ring = () =>
  stores.ledger.claimArsCall(
    number,
    () => ({ phoneNumber: '1', isOwnPhone: true, accountNumber: '1' }),
    policy,
    randomUUID(),
  );

/** A registration whose member is called after the disk was copied; then the copy is put in the disk's place. */
beforeEach(async () => {
  await open(await openAsBlob(inject('emptyDatabase')));
  await migrate(drizzle(pglite, { schema }), { migrationsFolder });
  await stores.incarnations.beginFirst();
  await stores.rowSeals.createKey();
  await stores.projects.add({
    ...newProject,
    aspId,
    accessKey: 'access key',
    secretKey: 'secret key',
    cryptoKeyId: 'crypto key',
  });
  const invented = inventMember('1');
  await stores.members.add(aspId, [invented]);
  const member = (await stores.members.find(aspId, invented.userId))!;
  number = createRegistrationNumber(new Date());
  await stores.registrations.add(member, {
    registrationNumber: number,
    bankCode: '003',
    arsCodeId: null,
    correlationId: null,
    policyId: await stores.policies.keep(policy),
    details: {
      accountNumber: '11012345678',
      bankName: 'IBK',
      holderName: invented.userName,
      birthDate: invented.birthDate,
      mobileNumber: invented.mobileNumber,
      authNumber: '07',
    },
  });
  await stores.registrations.begin(number);
  await stores.ledger.recordHolderCheck(number, undefined);
});

/** @param note is called before the copy is put in place. @returns what the note was */
async function putOlderCopyInPlace<Note>(note?: () => Promise<Note>): Promise<Note | undefined> {
  const copy = await pglite.dumpDataDir('none');
  expect(await ring()).toMatchObject({ claim: 'SEND', attempt: 1 });
  // As every process does every five seconds.
  expect(await stores.incarnations.look('asynchronous')).toBe('KNOWN');
  const noted = await note?.();
  await pglite.close();
  await open(copy);
  return noted;
}

it('an older copy of the disk is noticed by whoever has seen it later, and sends nothing', slow, async () => {
  await putOlderCopyInPlace();
  await expect(ring()).rejects.toThrow('restored or copied');
  // What was written since must not hide it: the copy grows past what was seen.
  await pglite.exec('create table growth as select generate_series(1, 10000) as row');
  await expect(ring()).rejects.toThrow('restored or copied');
  expect(await stores.incarnations.look('synchronous')).toBe('RESTORED');

  await stores.incarnations.begin(new Date());
  expect(await ring()).toMatchObject({ claim: 'WAIT' });
});

it('a process that has seen nothing learns of it from the database', slow, async () => {
  await putOlderCopyInPlace();
  const unaware = inAnotherProcess();
  expect(await unaware.look('asynchronous')).toBe('KNOWN');
  expect(await stores.incarnations.look('asynchronous')).toBe('RESTORED');
  expect(await unaware.look('synchronous')).toBe('RESTORED');
});

it('a process that asks a witness first knows it at once', slow, async () => {
  const witness = await putOlderCopyInPlace(() => stores.incarnations.mark());
  const aware = inAnotherProcess();
  aware.remember(witness!);
  await expect(aware.requireKnown()).rejects.toThrow('restored or copied');
  expect(await aware.look('asynchronous')).toBe('RESTORED');
  expect(await aware.mark()).toBeUndefined();
});

/** The lives of the database as another process sees them, which remembers nothing. */
function inAnotherProcess() {
  return createIncarnations(drizzle(pglite, { schema }), new Map());
}
