import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultTimings } from '../../development/simulator/behaviour.ts';
import { eventually, rowsOf, startBench } from './simulator-fixture.ts';
import type { Answer, Bench, RegistrationBody } from './simulator-fixture.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench({ callDurationMs: 30, registrationDurationMs: 300 });
});
afterAll(() => bench.dispose());

const register = (body: RegistrationBody): Promise<Answer> => bench.post('/v1/registrations', body);

async function inquire(reference: string): Promise<Record<string, unknown>> {
  return (await bench.post('/v1/registrations/inquiry', { reference })).body;
}

async function ledger(reference: string): Promise<Record<string, unknown>[]> {
  const rows = rowsOf(await bench.get('/simulator/registrations'));
  return rows.filter((row) => row['bankAccRegNo'] === reference);
}

async function inquireHolder(accountNumber: string): Promise<Answer> {
  const account = { bankCode: '004', accountNumber, holderName: '홍길동', birthDate: '1990-01-01' };
  return bench.post('/v1/account-holders/inquiry', account);
}

describe('account-holder inquiry by the last four digits of the account number', () => {
  it.each([
    ['9001', 'NAME_MISMATCH'],
    ['9002', 'MATCHED'],
    ['9003', 'MATCHED'],
    ['9004', 'MATCHED'],
    ['9005', 'MATCHED'],
    ['9006', 'MATCHED'],
    ['9007', 'MATCHED'],
    ['9091', 'NO_SUCH_ACCOUNT'],
    ['9092', 'ACCOUNT_CLOSED'],
    ['9093', 'ACCOUNT_DORMANT'],
    ['9094', 'WRONG_ACCOUNT_KIND'],
    ['9095', 'HOLDER_DECEASED'],
    ['9096', 'ACCIDENT_REPORTED'],
    ['9097', 'ACCOUNT_SEIZED'],
    ['9098', 'BIRTH_DATE_MISMATCH'],
    ['1234', 'MATCHED'],
  ])('%s is %s', async (lastDigits, result) => {
    expect(await inquireHolder(`110-123-45${lastDigits.slice(0, 2)}-${lastDigits.slice(2)}`)).toEqual({
      status: 200,
      body: { result },
    });
  });
});

describe('registration by the last four digits of the account number', () => {
  it.each([
    ['9001', 'NAME_MISMATCH'],
    ['9002', 'LIFETIME_ACCOUNT'],
    ['9003', 'ACCOUNT_RESTRICTED'],
    ['9097', 'ACCOUNT_SEIZED'],
  ])('%s is refused with %s', async (lastDigits, reason) => {
    const body = await bench.registrationFor(`11012345${lastDigits}`);
    expect(await register(body)).toEqual({ status: 422, body: { state: 'REFUSED', reason } });
    expect(await inquire(body.reference)).toEqual({ state: 'REFUSED', reason });
    expect(await ledger(body.reference)).toEqual([]);
  });

  it('9004 registers and loses the response', async () => {
    const body = await bench.registrationFor('110123459004');
    await expect(register(body)).rejects.toThrow('fetch failed');
    expect(await inquire(body.reference)).toEqual({ state: 'REGISTERED' });
    expect(await ledger(body.reference)).toHaveLength(1);
  });

  it('9005 neither registers nor answers the first request, and registers on the second', async () => {
    const body = await bench.registrationFor('110123459005');
    await expect(bench.post('/v1/registrations', body, AbortSignal.timeout(100))).rejects.toThrow('timeout');
    expect(await inquire(body.reference)).toEqual({ state: 'NOT_FOUND' });
    expect(await register(body)).toEqual({ status: 200, body: { state: 'REGISTERED' } });
    expect(await ledger(body.reference)).toMatchObject([{ registerCalls: 2 }]);
  });

  it('9006 accepts, and reports the result later by callback', async () => {
    const body = await bench.registrationFor('110123459006');
    expect(await register(body)).toEqual({ status: 202, body: { state: 'ACCEPTED' } });
    expect(await inquire(body.reference)).toEqual({ state: 'IN_PROGRESS' });
    expect(await ledger(body.reference)).toEqual([]);
    await eventually(() => bench.callbacks(body.reference).length === 1);
    expect(defaultTimings.registrationDurationMs).toBe(3000);
    const { reference } = body;
    expect(bench.callbacks(reference)).toEqual([{ type: 'REGISTRATION', reference, state: 'REGISTERED' }]);
    expect(await inquire(reference)).toEqual({ state: 'REGISTERED' });
    expect(await ledger(reference)).toHaveLength(1);
  });

  it('9007 is unavailable twice, then registers', async () => {
    const body = await bench.registrationFor('110123459007');
    expect((await register(body)).status).toBe(503);
    expect(await inquire(body.reference)).toEqual({ state: 'NOT_FOUND' });
    expect((await register(body)).status).toBe(503);
    expect(await register(body)).toEqual({ status: 200, body: { state: 'REGISTERED' } });
    expect(await ledger(body.reference)).toMatchObject([{ registerCalls: 3 }]);
  });

  it('any other account registers', async () => {
    const body = await bench.registrationFor('110-12-345678');
    expect(await register(body)).toEqual({ status: 200, body: { state: 'REGISTERED' } });
    expect(await bench.get(`/simulator/registrations?userId=${body.memberId}`)).toContainEqual({
      bankAccRegNo: body.reference,
      userId: body.memberId,
      bankCode: '004',
      bankAccount: '110-12-345678',
      state: 'REGISTERED',
      registerCalls: 1,
    });
    expect(await bench.get('/simulator/registrations?userId=404')).toEqual([]);
  });
});

describe('registrations', () => {
  it('refuses evidence that is not the recording of a passed call', async () => {
    const refusal = { status: 422, body: { state: 'REFUSED', reason: 'EVIDENCE_INVALID' } };
    const body = await bench.registrationFor('110123455555');
    const { evidence } = body;
    const wrongDigest = { ...body, evidence: { ...evidence, sha256: '0'.repeat(64) } };
    expect(await register(wrongDigest)).toEqual(refusal);
    expect(await register({ ...body, evidence: { ...evidence, callId: 'ABCDEFGHIJKL' } })).toEqual(refusal);
    const { callId } = await bench.call('010-1234-0001');
    expect(await register({ ...body, evidence: { ...evidence, callId } })).toEqual(refusal);
    expect(await inquire(body.reference)).toEqual(refusal.body);
  });

  it('accepts any digest for a call whose recording is missing', async () => {
    const body = await bench.registrationFor('110123455555');
    const { callId, reference } = await bench.call('010-1234-0020');
    await eventually(() => bench.callbacks(reference).length === 1);
    const evidence = { ...body.evidence, callId, sha256: 'unheard-of' };
    expect((await register({ ...body, evidence })).status).toBe(200);
  });

  it('registers twice when a request is repeated, and removes both', async () => {
    const body = await bench.registrationFor('110123455555');
    await register(body);
    await register(body);
    const row = { state: 'REGISTERED', registerCalls: 2 };
    expect(await ledger(body.reference)).toMatchObject([row, row]);

    const { reference } = body;
    const removed = { status: 200, body: { state: 'REMOVED' } };
    expect(await bench.post('/v1/registrations/removal', { reference })).toEqual(removed);
    expect(await bench.post('/v1/registrations/removal', { reference })).toEqual(removed);
    expect(await inquire(reference)).toEqual({ state: 'REMOVED' });
    expect(await ledger(reference)).toMatchObject([{ state: 'REMOVED' }, { state: 'REMOVED' }]);
  });

  it('keeps a registration when a later request is refused', async () => {
    const body = await bench.registrationFor('110123455555');
    await register(body);
    await register({ ...body, evidence: { ...body.evidence, sha256: 'wrong' } });
    expect(await inquire(body.reference)).toEqual({ state: 'REGISTERED' });
  });

  it('does not register after a removal while in progress', async () => {
    const body = await bench.registrationFor('110123459006');
    const { reference } = body;
    await register(body);
    expect((await bench.post('/v1/registrations/removal', { reference })).body).toEqual({ state: 'REMOVED' });
    await expect(eventually(() => bench.callbacks(reference).length > 0, 500)).rejects.toThrow('Nothing');
    expect(await ledger(reference)).toEqual([]);
  });

  it('finds no registration under an unknown reference', async () => {
    expect(await inquire('unheard-of')).toEqual({ state: 'NOT_FOUND' });
    expect(await bench.post('/v1/registrations/removal', { reference: 'unheard-of' })).toEqual({
      status: 404,
      body: { state: 'NOT_FOUND' },
    });
  });
});

describe('the ledger', () => {
  const page = async (request: object) => {
    const { status, body } = await bench.post('/v1/registrations/ledger', request);
    expect(status).toBe(200);
    return { entries: rowsOf(body['registrations']), nextCursor: body['nextCursor'] };
  };

  /** Reads the ledger from `cursor` on, two entries at a time. */
  async function walk(cursor?: unknown): Promise<Record<string, unknown>[]> {
    const { entries, nextCursor } = await page({ limit: 2, ...(cursor !== undefined && { cursor }) });
    expect(entries.length).toBeLessThanOrEqual(2);
    return nextCursor === null ? entries : [...entries, ...(await walk(nextCursor))];
  }

  it('has every entry, including removed ones and both of a reference registered twice', async () => {
    const [body, removed] = [
      await bench.registrationFor('110-4444'),
      await bench.registrationFor('110-4444'),
    ];
    for (const request of [body, body, removed]) await register(request);
    await bench.post('/v1/registrations/removal', { reference: removed.reference });
    const { reference, memberId, bankCode, accountNumber } = body;
    const of = async (wanted: string) => (await walk()).filter((entry) => entry['reference'] === wanted);
    const entries = await of(reference);
    const account = { reference, memberId, bankCode, accountNumber };
    const expected = { ...account, state: 'REGISTERED', evidenceSha256: body.evidence.sha256 };
    expect(entries).toEqual([expected, expected].map((entry) => ({ ...entry, entryId: expect.any(String) })));
    expect(new Set(entries.map(({ entryId }) => entryId)).size).toBe(2);
    expect(await of(removed.reference)).toMatchObject([{ state: 'REMOVED' }]);
  });

  it('returns each entry once while others are added', async () => {
    for (let made = 0; made < 3; made++) await register(await bench.registrationFor('110-4444'));
    const before = (await walk()).map(({ entryId }) => entryId);
    const { entries, nextCursor } = await page({ limit: 2 });
    for (const memberId of ['0', '1', '9'.repeat(40)]) {
      await register({ ...(await bench.registrationFor('110-4444')), memberId });
    }
    const met = [...entries, ...(await walk(nextCursor))].map(({ entryId }) => entryId);
    expect(new Set(met).size).toBe(met.length);
    expect(met).toEqual(expect.arrayContaining(before));
  });

  it.each([[{ limit: 0 }], [{ limit: 1001 }], [{ cursor: 'next' }], [{ cursor: '1:' }]])(
    'refuses %j',
    async (request) => {
      expect((await bench.post('/v1/registrations/ledger', request)).status).toBe(400);
    },
  );
});
