import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { createRegistrationNumber } from '../../api/registrations/registration-number.ts';
import { sandboxPolicy } from '../../development/sandbox/policy.ts';
import type { Database } from '../../database/database.ts';
import type { Member } from '../../database/members.ts';
import { createStores } from '../../database/stores.ts';
import type { Stores } from '../../database/stores.ts';
import { createRsaKeyPair } from '../../encryption/project-keys.ts';
import { inventMember } from '../../development/sandbox/members.ts';
import { openEmptyPglite } from '../fixtures/empty-database.ts';
import { openFreshPostgres } from '../fixtures/fresh-postgres.ts';

/** The stores on an empty database of their own, with two projects. */
export interface StoresFixture {
  readonly databaseName: 'PGlite' | 'PostgreSQL';
  readonly database: Database;
  readonly stores: Stores;
  /** An ID that no member has. */
  nextUserId(): string;
  /** @param through default: `stores` */
  addMember(through?: Stores): Promise<Member>;
  /** @returns the registration number. @throws when no row was inserted */
  addRegistration(member: Member, accountNumber?: string): Promise<string>;
  /** Takes a registration up to its first call, which then rings. */
  call(registrationNumber: string): Promise<void>;
  /** Takes a registration so far that the evidence of consent is stored. */
  consent(registrationNumber: string): Promise<void>;
  /** Takes a registration through all its steps, until the payment gateway has registered the account. */
  register(registrationNumber: string): Promise<void>;
  /** Ends a registration with `002_901`. */
  fail(registrationNumber: string): Promise<void>;
}

export const rsaKeys = await createRsaKeyPair();

/** Of a project, without its ID and the IDs of its keys. */
export const newProject = {
  demandsEncryption: true,
  comparesMember: true,
  secretKey: 'secret key',
  serverPrivateKey: rsaKeys.privateKey,
  clientPublicKey: rsaKeys.publicKey,
};

export const erasure = { operator: 'kim', reason: 'the member asks for it', beforeRetentionEnds: false };

/** Evidence of consent, but for its registration. */
export const inventedEvidence = {
  attempt: 1,
  callId: 'CALL00000001',
  scriptVersion: 'withdrawal-consent-1',
  format: 'wav',
  durationMs: 2_000,
  recording: Buffer.concat([Buffer.from('RIFF....WAVE'), randomBytes(988)]),
} as const;

/** A new database key. */
export const createKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;

/** The stores use the old one. */
export const [oldKey, newKey] = [createKey('old'), createKey('new')];

/** Defines tests that run on PGlite, and on PostgreSQL if DATABASE_URL is set. */
export function describeStores(define: (on: StoresFixture) => void): void {
  const databaseUrl = process.env['DATABASE_URL'];
  describe.each([
    { name: 'PGlite' as const, open: openEmptyPglite },
    ...(databaseUrl ? [{ name: 'PostgreSQL' as const, open: () => openFreshPostgres(databaseUrl) }] : []),
  ])('on $name', ({ name, open }) => {
    let database: Database;
    let stores: Stores;
    let lastUserId = 0;

    beforeAll(async () => {
      database = await open();
      stores = createStores(database.queries, oldKey);
      await stores.incarnations.beginFirst();
      await stores.rowSeals.createKey();
      for (const aspId of ['TESTASP00000001', 'TESTASP00000002']) {
        await stores.projects.add({
          ...newProject,
          aspId,
          accessKey: `access key of ${aspId}`,
          secretKey: `secret key of ${aspId}`,
          cryptoKeyId: `crypto key of ${aspId}`,
        });
      }
    });
    afterAll(() => database.close());

    const nextUserId = () => String(++lastUserId);
    const call = async (number: string) => {
      await stores.ledger.recordHolderCheck(number, undefined);
      const callee = () => ({ phoneNumber: number, isOwnPhone: true, accountNumber: number });
      await stores.ledger.claimArsCall(number, callee, sandboxPolicy, randomUUID());
    };
    const consent = async (registrationNumber: string) => {
      await call(registrationNumber);
      const { attempt, callId } = inventedEvidence;
      const passed = { callId, outcome: 'PASSED' } as const;
      await stores.ledger.decideArsCall(registrationNumber, attempt, passed, 'CALLBACK');
      const { member } = await stores.registrations.openAny(registrationNumber);
      await stores.consentEvidence.store(member.cipher, { ...inventedEvidence, registrationNumber });
      await stores.ledger.recordEvidence(registrationNumber);
    };
    define({
      databaseName: name,
      get database() {
        return database;
      },
      get stores() {
        return stores;
      },
      nextUserId,
      async addMember(through = stores) {
        const member = inventMember(nextUserId());
        await through.members.add('TESTASP00000001', [member]);
        return (await through.members.find('TESTASP00000001', member.userId))!;
      },
      async addRegistration(member, accountNumber = '11012345678') {
        const registrationNumber = createRegistrationNumber(new Date());
        const added = await stores.registrations.add(member, {
          registrationNumber,
          bankCode: '003',
          arsCodeId: null,
          correlationId: 'correlation-1',
          policyId: await stores.policies.keep(sandboxPolicy),
          details: {
            accountNumber,
            bankName: 'IBK',
            holderName: member.facts.userName,
            birthDate: member.facts.birthDate,
            mobileNumber: member.facts.mobileNumber,
            authNumber: '07',
          },
        });
        if (typeof added === 'string') throw new Error('not added');
        return registrationNumber;
      },
      call,
      consent,
      async register(number) {
        const { ledger } = stores;
        await consent(number);
        await ledger.claimRegistration(number, () => {}, sandboxPolicy, randomUUID());
        await ledger.decideRegistration(number, { state: 'REGISTERED' }, 'CALLBACK');
      },
      async fail(number) {
        await stores.ledger.recordHolderCheck(number, '002_901');
      },
    });
  });
}
