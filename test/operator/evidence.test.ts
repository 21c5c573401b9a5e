import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq, getTableColumns, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consentScripts } from '../../contract/consent-scripts.ts';
import { memberWorkflowId } from '../../contract/registration.ts';
import {
  accounts,
  consentEvidence,
  legalHolds,
  memberKeys,
  members,
  registrations,
} from '../../database/schema.ts';
import { evidenceContext } from '../../database/consent-evidence.ts';
import type { EvidenceRecord } from '../../database/consent-evidence.ts';
import { createStores } from '../../database/stores.ts';
import { ensureSchedules } from '../../composition/schedules.ts';
import { operate as operateOn } from '../fixtures/operate.ts';
import { injectFaults } from '../fixtures/payment-gateway-faults.ts';
import type { PaymentGatewayFaults } from '../fixtures/payment-gateway-faults.ts';
import { reseal } from '../fixtures/reseal.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';

const directory = mkdtempSync(join(tmpdir(), 'evidence-'));
let stack: Stack;
/** What the payment gateway does instead of what the simulator would do. */
let faults: PaymentGatewayFaults = {};
let nextMember = 0;

beforeAll(async () => {
  stack = await startStack({ intercept: injectFaults(() => faults) });
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await stack.close();
});

const evidence = (...words: readonly string[]) => operateOn(stack, 'evidence', ...words);

async function register(overrides: Readonly<Record<string, unknown>> = {}, member = nextMember++) {
  const project = stack.projects[0];
  const request = registration(project, member, overrides);
  const { body } = await call(stack.url, project, '/ars/register', request);
  const number = String(body['bankAccRegNo']);
  const ended = await untilEnded(stack.url, project, number);
  const userId = String(request['userId']);
  await stack.temporal.workflow.getHandle(memberWorkflowId(userId)).result();
  return { member, userId, number, status: ended.body['status'] };
}

const deleteAccount = async (userId: string) => {
  const { body } = await call(stack.url, stack.projects[0], '/delete', { userId });
  expect(body.response.code).toBe('000_000');
};

const rowOf = async (number: string) => {
  const { queries } = stack.database;
  const ofThis = eq(consentEvidence.registrationNumber, number);
  const [row] = await queries.select().from(consentEvidence).where(ofThis);
  return row!;
};

/** Changes evidence directly in the database, bypassing its constraints. */
async function tamper(number: string, change: Partial<typeof consentEvidence.$inferInsert>): Promise<void> {
  await stack.database.queries.transaction(async (transaction) => {
    await transaction.execute(sql`set local session_replication_role = replica`);
    await transaction
      .update(consentEvidence)
      .set(change)
      .where(eq(consentEvidence.registrationNumber, number));
  });
}

/** A value with one bit flipped. */
function flipBit(value: unknown, position = 0): unknown {
  if (typeof value === 'number') return value ^ 1;
  if (value instanceof Date) return new Date(value.getTime() ^ 1);
  const bytes = Buffer.from(value as string | Buffer);
  bytes[position]! ^= 1;
  return Buffer.isBuffer(value) ? bytes : bytes.toString();
}

describe('evidence verify', () => {
  it('finds the evidence of all registrations intact', async () => {
    const { number } = await register();
    expect(await rowOf(number)).toMatchObject({ durationMs: 2_000, format: 'wav', bytes: 16_044 });
    const verified = await stack.database.queries.$count(consentEvidence);
    expect(await evidence('verify')).toEqual({
      exitCode: 0,
      output: expect.stringMatching(
        new RegExp(
          `^evidence: ${verified} verified, 0 broken, 0 of erased members, \\d+ purged after their retention$`,
        ),
      ),
      errors: '',
    });
    expect(await evidence('verify', '--number', number)).toMatchObject({ exitCode: 0 });
    expect(await evidence('verify', '--number', 'A'.repeat(22))).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('Check --number'),
    });
  });

  describe('finds one flipped bit', () => {
    let number: string;
    let userId: string;
    beforeAll(async () => {
      ({ number, userId } = await register());
    });

    async function expectBroken(problem: string) {
      const { exitCode, output, errors } = await evidence('verify');
      expect(exitCode).toBe(1);
      expect(output).toMatch(new RegExp(`^[0-9A-Z]{22}  .*${problem}.*$`, 'm'));
      expect(errors).toMatch(/\d+ findings. Do not change the database/);
    }

    const columns = Object.keys(
      getTableColumns(consentEvidence),
    ) as (keyof typeof consentEvidence.$inferSelect)[];
    it.for(columns)('in %s', async (column) => {
      const original = await rowOf(number);
      const flipped = flipBit(original[column]);
      await tamper(number, { [column]: flipped });
      const moved = column === 'registrationNumber';
      await expectBroken(moved ? 'no evidence is stored' : 'was altered');
      if (!moved && column !== 'seal') {
        // The recording authenticates its record, too.
        await reseal(stack);
        await expectBroken('the recording or its stored record was altered');
        await tamper(number, { seal: original.seal });
      }
      await tamper(moved ? String(flipped) : number, { [column]: original[column] });
      expect((await evidence('verify')).exitCode).toBe(0);
    });

    it.for([0, 11, 12, 8_000, 16_055, 16_056, 16_071])('in byte %d of the sealed recording', async (byte) => {
      const { sealedRecording } = await rowOf(number);
      await tamper(number, { sealedRecording: flipBit(sealedRecording, byte) as Buffer });
      await expectBroken('was altered');
      await tamper(number, { sealedRecording });
      expect((await evidence('verify')).exitCode).toBe(0);
    });

    it('in the personal data of the registration, and their absence', async () => {
      const { queries } = stack.database;
      const ofThis = eq(registrations.registrationNumber, number);
      const [{ sealedDetails } = { sealedDetails: null }] = await queries
        .select({ sealedDetails: registrations.sealedDetails })
        .from(registrations)
        .where(ofThis);
      await queries
        .update(registrations)
        .set({ sealedDetails: flipBit(sealedDetails, 20) as Buffer })
        .where(ofThis);
      await expectBroken('the personal part of the registration was altered');
      await queries.update(registrations).set({ sealedDetails: null }).where(ofThis);
      await expectBroken('the personal part of the registration is gone');
      await queries.update(registrations).set({ sealedDetails }).where(ofThis);
      expect((await evidence('verify')).exitCode).toBe(0);
    });

    it.for(['sealedDataKey', 'databaseKeyId'] as const)('in the member’s %s', async (column) => {
      const { queries } = stack.database;
      const ofMember = eq(memberKeys.userId, userId);
      const [original] = await queries.select().from(memberKeys).where(ofMember);
      await queries
        .update(memberKeys)
        .set({ [column]: flipBit(original![column]) })
        .where(ofMember);
      const { exitCode, output, errors } = await evidence('verify');
      expect(exitCode).toBe(1);
      expect(output + errors).toMatch(/the member's key does not open|DATABASE_KEYS lacks .*uest-key/);
      await queries.update(memberKeys).set(original!).where(ofMember);
    });
  });

  it('finds missing evidence of a refused registration, even if it is marked purged', async () => {
    const { number } = await register({ bankAccount: '11012349002' });
    const { queries } = stack.database;
    const row = await rowOf(number);
    const mark = async (marks: Pick<typeof registrations.$inferSelect, 'purgedAt' | 'legalHolds'>) => {
      await queries.update(registrations).set(marks).where(eq(registrations.registrationNumber, number));
      await reseal(stack);
    };
    await queries.delete(consentEvidence).where(eq(consentEvidence.registrationNumber, number));
    const verify = () => evidence('verify', '--number', number);
    expect((await verify()).output).toContain('no evidence is stored');
    const purgedAt = new Date('2099-01-01T00:00:00Z');
    await mark({ purgedAt, legalHolds: 0 });
    expect((await verify()).output).toContain('purged before the end of its retention period');
    const hold = {
      registrationNumber: number,
      ordinal: 1,
      heldAt: new Date(),
      heldBy: 'kim',
      reason: 'a complaint',
    };
    await queries.insert(legalHolds).values({ ...hold, seal: '' });
    await mark({ purgedAt, legalHolds: 1 });
    expect((await verify()).output).toContain('purged under a legal hold');
    await queries.delete(legalHolds).where(eq(legalHolds.registrationNumber, number));
    await queries.insert(consentEvidence).values(row);
    await mark({ purgedAt: null, legalHolds: 0 });
    expect((await verify()).exitCode).toBe(0);
  });

  it('does not accept a member as erased whose key still exists', async () => {
    const { number, userId } = await register();
    const { queries } = stack.database;
    const ofMember = eq(members.userId, userId);
    const [member] = await queries.select().from(members).where(ofMember);
    const verify = () => evidence('verify', '--number', number);
    await queries.update(members).set({ erasedAt: new Date() }).where(ofMember);
    expect((await verify()).output).toContain('its member was altered');
    await reseal(stack);
    expect((await verify()).output).toContain("the member's key is still there");
    const ofKey = eq(memberKeys.userId, userId);
    const [key] = await queries.select().from(memberKeys).where(ofKey);
    await queries.delete(memberKeys).where(ofKey);
    expect((await verify()).output).toContain('erased while an account was in use');
    await queries.update(members).set(member!).where(ofMember);
    await queries.insert(memberKeys).values(key!);
    expect((await verify()).exitCode).toBe(0);
  });

  it('finds missing evidence of an account, and a premature purge', async () => {
    const { number } = await register();
    const { queries } = stack.database;
    const row = await rowOf(number);
    const ofThis = eq(registrations.registrationNumber, number);
    await queries.delete(consentEvidence).where(eq(consentEvidence.registrationNumber, number));
    expect(await evidence('verify')).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(`${number}  no evidence is stored`),
    });
    await queries.update(registrations).set({ purgedAt: new Date() }).where(ofThis);
    expect((await evidence('verify')).output).toContain(`${number}  the registration was altered`);
    await reseal(stack);
    expect(await evidence('verify')).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(`${number}  it was purged before the end of its retention period`),
    });
    await queries.update(registrations).set({ purgedAt: null }).where(ofThis);
    await queries.insert(consentEvidence).values(row);
    await reseal(stack);
    expect((await evidence('verify')).exitCode).toBe(0);
  });

  describe('verifies evidence encrypted with the right keys', () => {
    let number: string;
    let recording: Buffer;
    const storeSealed = async (content: Buffer, change: Partial<EvidenceRecord> = {}) => {
      const { member } = await stack.stores.registrations.openAny(number);
      const record = {
        ...(await rowOf(number)),
        format: 'wav' as const,
        scriptVersion: 'withdrawal-consent-1',
        sha256: createHash('sha256').update(content).digest('hex'),
        bytes: content.length,
        ...change,
      };
      await tamper(number, {
        ...record,
        sealedRecording: member.cipher.seal(content, evidenceContext(record)),
      });
      await reseal(stack);
    };
    beforeAll(async () => {
      ({ number } = await register());
      const { member } = await stack.stores.registrations.openAny(number);
      recording = await stack.stores.consentEvidence.openRecording(member.cipher, number);
    });
    afterAll(() => storeSealed(recording));

    it.for([
      ['another SHA-256', { sha256: '0'.repeat(64) }, 'the recording or'],
      ['another size', { bytes: 16_045 }, 'its size is not'],
      ['another type', { format: 'mp3' }, 'its type is not'],
      ['an unknown script', { scriptVersion: 'withdrawal-consent-0' }, 'the text of its script'],
    ] as const)('and finds %s', async ([, change, problem]) => {
      await storeSealed(recording, change);
      await expectProblem(problem);
    });

    it('and finds a recording that is too large', async () => {
      await storeSealed(Buffer.concat([recording, Buffer.alloc(300_000)]));
      await expectProblem('it is larger than');
    });

    async function expectProblem(problem: string): Promise<void> {
      expect(await evidence('verify')).toMatchObject({
        exitCode: 1,
        output: expect.stringContaining(`${number}  ${problem}`),
      });
    }
  });

  it('refuses without a key that is needed, naming it', async () => {
    const stores = createStores(stack.database.queries, `next:${Buffer.alloc(32, 1).toString('base64')}`);
    const { temporal } = stack;
    expect(await operateOn({ stores, temporal }, 'evidence', 'verify')).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('DATABASE_KEYS lacks keys that are still needed: test-key (seals'),
    });
  });
});

describe('the duration', () => {
  const lame = Buffer.concat([Buffer.from('ID3'), Buffer.alloc(500)]);

  it.for([
    ['what the payment gateway says', 7.25, 7_250],
    ['nothing', undefined, undefined],
  ] as const)('of a recording that is not a WAV file is %s', async ([, recordingSeconds, durationMs]) => {
    faults = {
      fetchRecording: async () => lame,
      inquireArsCall: async () => ({
        state: 'ENDED',
        callId: 'CALL00000001',
        outcome: 'PASSED',
        recordingSeconds,
      }),
      register: async () => ({ state: 'REFUSED', reason: 'EVIDENCE_INVALID' }),
    };
    const { number, status } = await register();
    faults = {};
    expect(status).toBe('BANK_ACC_REG_FAILED');
    expect((await rowOf(number))?.durationMs).toBe(durationMs);
  });
});

describe('evidence export', () => {
  const target = (name: string) => join(directory, name);

  it('writes everything an auditor needs, and overwrites nothing', async () => {
    const { number, userId } = await register({ bankAccount: '11012345678' });
    expect(await evidence('export', '--number', number, '--directory', target('one'))).toMatchObject({
      exitCode: 0,
      errors: '',
    });
    const names = readdirSync(target('one')).toSorted();
    expect(names).toEqual(['README', 'SHA256SUMS', 'manifest.json', 'recording.wav']);
    expect(statSync(target('one')).mode & 0o777).toBe(0o700);
    for (const name of names) expect(statSync(join(target('one'), name)).mode & 0o777).toBe(0o600);
    const check = () =>
      execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: target('one'), stdio: 'pipe' });
    expect(check().toString().match(/: OK$/gm)).toHaveLength(3);

    const text = readFileSync(join(target('one'), 'manifest.json'), 'utf8');
    const row = await rowOf(number);
    expect(JSON.parse(text)).toMatchObject({
      registration: { registrationNumber: number, memberId: userId, status: 'BANK_ACC_REGISTERED' },
      account: { bankName: 'IBK', accountNumber: '110****678', state: 'ACTIVE' },
      evidence: { sha256: row.sha256, durationMs: 2_000, callId: row.callId, format: 'wav', bytes: 16_044 },
      script: { version: row.scriptVersion, text: consentScripts['withdrawal-consent-1'] },
      timeline: expect.arrayContaining([expect.objectContaining({ step: 'CONSENT_EVIDENCE_STORED' })]),
    });
    expect(text).not.toContain('11012345678');
    const recording = readFileSync(join(target('one'), 'recording.wav'));
    expect(createHash('sha256').update(recording).digest('hex')).toBe(row.sha256);

    expect(await evidence('export', '--number', number, '--directory', target('one'))).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('nothing is overwritten'),
    });
    writeFileSync(join(target('one'), 'recording.wav'), flipBit(recording, 100) as Buffer);
    expect(check).toThrow('Command failed: sha256sum -c');
  });

  it('refuses broken evidence, an unknown registration and an invalid number', async () => {
    const { number } = await register();
    const { callId } = await rowOf(number);
    await tamper(number, { callId: 'ANOTHERCALL1' });
    const words = ['export', '--directory', target('two'), '--number'] as const;
    expect(await evidence(...words, number)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('is broken'),
    });
    await tamper(number, { callId });
    expect(await evidence(...words, 'A'.repeat(22))).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('has no evidence'),
    });
    expect(await evidence(...words, '../etc')).toMatchObject({ exitCode: 2 });
    expect(readdirSync(directory)).not.toContain('two');
  });
});

describe('legal hold and retention', () => {
  const signed = ['--reason', 'court order 2026-1'] as const;

  /** An account that was deleted and removed six years ago. */
  async function outOfUse(): Promise<string> {
    const { number, userId } = await register();
    await deleteAccount(userId);
    const { queries } = stack.database;
    const stateOf = async () => (await stack.stores.accounts.listOf(userId))[0]?.state;
    await expect.poll(stateOf, { timeout: 10_000 }).toBe('REMOVED');
    const removedAt = new Date();
    removedAt.setUTCFullYear(removedAt.getUTCFullYear() - 6);
    await queries.update(accounts).set({ removedAt }).where(eq(accounts.registrationNumber, number));
    await queries
      .update(registrations)
      .set({ endedAt: removedAt })
      .where(eq(registrations.registrationNumber, number));
    await reseal(stack);
    return number;
  }

  it('keep evidence until the hold is released', async () => {
    const [held, free] = [await outOfUse(), await outOfUse()];
    const purgedBefore = Number(/(\d+) purged/.exec((await evidence('verify')).output)?.[1]);
    expect(await evidence('list-holds')).toMatchObject({ output: 'No evidence is under legal hold.' });
    expect(await evidence('hold', '--number', held, ...signed)).toMatchObject({ exitCode: 0 });
    expect(await evidence('hold', '--number', held, ...signed)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('already'),
    });
    expect(await evidence('hold', '--number', 'A'.repeat(22), ...signed)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('no registration'),
    });
    expect((await evidence('list-holds')).output).toMatch(
      new RegExp(`^${held}  .*kim  +court order 2026-1$`, 'm'),
    );

    expect(await evidence('purge', '--dry-run')).toMatchObject({
      output: 'Registrations whose retention period has ended: 1. Nothing was destroyed.',
    });
    expect(await rowOf(free)).toBeDefined();
    expect(await evidence('purge')).toMatchObject({ exitCode: 0, output: 'Registrations purged: 1.' });
    expect([await rowOf(free), (await rowOf(held))?.registrationNumber]).toEqual([undefined, held]);
    expect(await evidence('hold', '--number', free, ...signed)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('has been destroyed'),
    });
    const { output, exitCode } = await evidence('verify');
    expect([exitCode, output]).toEqual([
      0,
      expect.stringContaining(` ${purgedBefore + 1} purged after their retention`),
    ]);
    const { body } = await call(stack.url, stack.projects[0], '/ars/register/inquiry', { regNo: free });
    expect(body).toMatchObject({ status: 'BANK_ACC_REGISTERED', response: { code: '000_000' } });

    expect(await evidence('release', '--number', held, ...signed)).toMatchObject({ exitCode: 0 });
    expect(await evidence('release', '--number', held, ...signed)).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('under no legal hold'),
    });
  });

  it('purge on a schedule, which each worker restores at startup', async () => {
    const number = await outOfUse();
    const handle = stack.temporal.schedule.getHandle('purge-expired-evidence');
    await ensureSchedules(stack.temporal);
    await handle.pause('an operator says so');
    await handle.update((previous) => ({ ...previous, spec: { intervals: [{ every: '1 hour' }] } }));
    await ensureSchedules(stack.temporal);
    const { state, spec } = await handle.describe();
    expect(state).toMatchObject({ paused: true, note: 'an operator says so' });
    expect(spec).toMatchObject({ timezone: 'Asia/Seoul', calendars: [{ hour: [{ start: 4 }] }] });
    expect(spec.intervals ?? []).toEqual([]);

    await handle.trigger();
    await expect.poll(() => rowOf(number), { timeout: 20_000 }).toBeUndefined();
    const started = async () => (await handle.describe()).info.recentActions[0]?.action.workflow;
    await expect.poll(started, { timeout: 20_000 }).toBeDefined();
    const { workflowId } = (await started())!;
    expect(await stack.temporal.workflow.getHandle(workflowId).result()).toMatchObject({
      purged: expect.any(Number),
    });
    expect(await stack.stores.auditTrail.list({ registrationNumber: number })).toMatchObject([
      { actor: 'service', action: 'evidence purge' },
    ]);
  });
});

describe('npm run evidence', () => {
  it('shows only its own commands, and how to call them', async () => {
    const { output } = await evidence('--help');
    expect(output).toContain('npm run evidence -- verify [--number <registration number>]');
    expect(output).not.toContain('reviews');
    const { exitCode, errors } = await evidence('hold');
    expect(exitCode).toBe(2);
    expect(errors).toContain('Try: npm run evidence -- hold --number');
  });
});
