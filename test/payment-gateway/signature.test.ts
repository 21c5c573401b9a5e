import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { isSigned, sign } from '../../payment-gateway/http/signature.ts';

const now = 1_764_000_000_000;
const minute = 60_000;
const body = Buffer.from('{"a":1}');

function check(secrets: string, headers: Partial<ReturnType<typeof sign>>, at = now, path = '/pg/callbacks') {
  const { 'x-pg-timestamp': timestamp, 'x-pg-signature': signature } = headers;
  return isSigned(secrets, path, body, { timestamp, signature }, at);
}

const signed = sign('one', '/pg/callbacks', body, now);

it('is the HMAC over time, path and body', () => {
  const signature = createHmac('sha256', 'one').update(`${now}\n/pg/callbacks\n{"a":1}`).digest('hex');
  expect(signed).toEqual({ 'x-pg-timestamp': String(now), 'x-pg-signature': signature });
});

it('is made with the first secret and accepted with each', () => {
  expect(sign('one,two', '/pg/callbacks', body, now)).toEqual(signed);
  for (const secrets of ['one', 'one,two', 'two,one']) expect(check(secrets, signed)).toBe(true);
  expect(check('two', signed)).toBe(false);
  expect(check('one', signed, now, '/elsewhere')).toBe(false);
});

it.for([
  [5 * minute, true],
  [5 * minute + 1, false],
  [-5 * minute, true],
  [-5 * minute - 1, false],
] as const)('%d ms later: %s', ([later, accepted]) => {
  expect(check('one', signed, now + later)).toBe(accepted);
});

it.for(['x-pg-timestamp', 'x-pg-signature'] as const)('is not accepted with another form of %s', (name) => {
  const value = signed[name];
  for (const other of [
    '',
    `${value}0`,
    `0${value}`,
    value.slice(1),
    value.slice(0, -1),
    value.replace(/.$/, 'G'),
  ]) {
    expect(check('one', { ...signed, [name]: other })).toBe(false);
  }
  const { [name]: _, ...without } = signed;
  expect(check('one', without)).toBe(false);
});
