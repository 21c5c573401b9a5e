import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isTimeZone, parseTranTime, timeOfTranToken } from '../../wire/tran-time.ts';
import {
  createCorrelationId,
  createTranToken,
  isTranTokenOf,
  tranTimeOf,
} from '../../encryption/tran-token.ts';

describe('times', () => {
  it.for([
    ['20261122093015', 'UTC', '2026-11-22T09:30:15.000Z'],
    ['20261122093015', 'KST', '2026-11-22T00:30:15.000Z'],
    ['20261122033015', 'KST', '2026-11-21T18:30:15.000Z'],
    ['20261122093015', 'ICT', '2026-11-22T02:30:15.000Z'],
    ['20261122093015123', 'UTC', '2026-11-22T09:30:15.123Z'],
    ['20240229000000', 'UTC', '2024-02-29T00:00:00.000Z'],
  ] as const)('%s in %s is %s', ([text, zone, expected]) => {
    expect(new Date(parseTranTime(text, zone)!).toISOString()).toBe(expected);
  });

  it.for([
    '20260229093015',
    '20261322093015',
    '20261122243015',
    '20261122096015',
    '20261122093060',
    '20260022093015',
    '2026112209301',
    '2026112209301512',
    '202611220930151234',
    '2026-11-22T09:',
    '',
  ])('%j is not a time', (text) => {
    expect(parseTranTime(text, 'UTC')).toBeUndefined();
  });

  it('accepts only zones with one offset all year', () => {
    expect(['UTC', 'KST', 'JST', 'ICT'].map(isTimeZone)).toEqual([true, true, true, true]);
    expect(['CET', 'EST', 'utc', 'XYZ', 'toString', ''].filter(isTimeZone)).toEqual([]);
    expect(parseTranTime('20261122093015', 'CET')).toBeUndefined();
  });
});

describe('tokens', () => {
  const body = Buffer.from('{"userId":10000000001}');
  const mac = createHmac('sha256', 'a secret').update(body).digest('base64');
  const token = `KMV1:20261122093015123:${mac}`;

  it('have 67 characters, or 66 without the padding, and are equally valid', () => {
    expect(token).toHaveLength(67);
    expect(isTranTokenOf(token, body, 'a secret')).toBe(true);
    expect(isTranTokenOf(token.slice(0, 66), body, 'a secret')).toBe(true);
  });

  it('contain their time', () => {
    expect(timeOfTranToken(token)).toBe('20261122093015123');
  });

  it.for([
    ['another secret', token, body],
    ['a secret', token, Buffer.from('{"userId":10000000002}')],
    ['a secret', token.slice(0, 60), body],
    ['a secret', 'KMV1:20261122093015123:', body],
    ['a secret', '', body],
  ] as const)('are invalid under %j as %j', ([secret, given, bytes]) => {
    expect(isTranTokenOf(given, bytes, secret)).toBe(false);
  });
});

describe('what the service sends itself', () => {
  const now = new Date('2026-11-22T09:30:15.123Z');

  it('has the time to the second', () => {
    expect(tranTimeOf(now)).toBe('20261122093015');
  });

  it('has a token with the time to the millisecond and the HMAC of the body', () => {
    const mac = createHmac('sha256', 'secret').update('{"a":1}').digest('base64');
    const token = createTranToken('{"a":1}', 'secret', now);
    expect(token).toBe(`KMV1:20261122093015123:${mac}`);
    expect(isTranTokenOf(token, Buffer.from('{"a":1}'), 'secret')).toBe(true);
  });

  it('has a correlation ID with the time and seven random digits', () => {
    const ids = [createCorrelationId(now), createCorrelationId(now)];
    for (const id of ids) expect(id).toMatch(/^261122093015-[0-9a-f]{7}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });
});
