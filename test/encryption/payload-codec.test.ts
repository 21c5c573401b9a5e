import { randomBytes } from 'node:crypto';
import type { Payload, SerializationContext } from '@temporalio/common';
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { KeyRing } from '../../encryption/key-ring.ts';
import { createPayloadCodec, createWebUiDecoder } from '../../encryption/payload-codec.ts';

const keys = new KeyRing(`test-key:${randomBytes(32).toString('base64')}`);
const codec = createPayloadCodec(keys);
const run = { type: 'workflow', namespace: 'default', workflowId: '20000005' } as const;
const activity = {
  type: 'activity',
  namespace: 'default',
  workflowId: '20000005',
  activityId: '4',
  isLocal: false,
} as const;
const value = { verdict: 'REGISTERED' };
const unreadable = { unreadablePayload: expect.any(String) as string };

async function seal(context?: SerializationContext): Promise<Payload> {
  const [sealed] = await codec.encode([defaultPayloadConverter.toPayload(value)], context);
  return sealed!;
}

async function read(payload: Payload, context?: SerializationContext, reader = codec): Promise<unknown> {
  const [decoded] = await reader.decode([payload], context);
  return defaultPayloadConverter.fromPayload(decoded!);
}

const elsewhere: readonly (readonly [string, SerializationContext, SerializationContext])[] = [
  ['another workflow', run, { ...run, workflowId: '20000006' }],
  ['a workflow of the same ID in another namespace', run, { ...run, namespace: 'other' }],
  ['an activity of its workflow', run, activity],
  ['its workflow, from an activity', activity, run],
  ['another activity of its workflow', activity, { ...activity, activityId: '5' }],
  ['a local activity of the same ID', activity, { ...activity, isLocal: true }],
  ['an activity of another workflow', activity, { ...activity, workflowId: '20000006' }],
];

describe('a payload', () => {
  it.each([run, activity, { ...activity, isLocal: true }, undefined])(
    'is read where it belongs: %o',
    async (context) => {
      expect(await read(await seal(context), context)).toEqual(value);
    },
  );

  it.each(elsewhere)('that is moved to %s is refused', async (_where, from, to) => {
    expect(await read(await seal(from), to)).toEqual(unreadable);
  });

  it.each(elsewhere)(
    'that is moved to %s, with its metadata changed, is refused',
    async (_where, from, to) => {
      const { data } = await seal(from);
      const { metadata } = await seal(to);
      const moved = { metadata, data } as Payload;
      expect(await read(moved, to)).toEqual(unreadable);
      expect(await read(moved, undefined)).toEqual(unreadable);
      expect(() => createWebUiDecoder(keys)([moved])).toThrow(/./);
    },
  );

  it('that was made for nothing in particular is refused by a run', async () => {
    expect(await read(await seal(), run)).toEqual(unreadable);
  });

  it('that is not encrypted is refused', async () => {
    expect(await read(defaultPayloadConverter.toPayload(value), run)).toEqual(unreadable);
    expect(await read({}, run)).toEqual(unreadable);
    expect(await read({ metadata: null, data: null }, run)).toEqual(unreadable);
  });

  it('is read by its metadata in a replay and for the Web UI, which do not know where it belongs', async () => {
    const ofReplay = createPayloadCodec(keys, { ofReplay: true });
    const sealed = await seal({ ...run, namespace: 'production' });
    expect(await read(sealed, run, ofReplay)).toEqual(value);
    const [shown] = createWebUiDecoder(keys)([sealed]);
    expect(defaultPayloadConverter.fromPayload(shown!)).toEqual(value);
    expect(await read(defaultPayloadConverter.toPayload(value), run, ofReplay)).toEqual(unreadable);
  });
});
