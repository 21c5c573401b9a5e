import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { KeyRing, MissingKeyError } from '../../encryption/key-ring.ts';

const key = (bytes = 32) => randomBytes(bytes).toString('base64');
const [first, second] = [`first:${key()}`, `second:${key()}`];

it('seals with the first key and opens with every key', () => {
  const [old, both] = [new KeyRing(first), new KeyRing(`${second}, ${first}`)];
  expect([both.activeKeyId, both.keyIds]).toEqual(['second', ['second', 'first']]);
  expect(both.open('first', old.seal(Buffer.from('text'), 'place'), 'place').toString()).toBe('text');
  expect(both.open('second', both.seal(Buffer.from('text'), 'place'), 'place').toString()).toBe('text');
});

it('names a key that is missing', () => {
  const sealed = new KeyRing(second).seal(Buffer.from('text'), 'place');
  const open = () => new KeyRing(first).open('second', sealed, 'place');
  expect(open).toThrow(MissingKeyError);
  expect(open).toThrow('There is no key with the ID second');
});

it('opens nothing in another place, and nothing that was altered', () => {
  // As Node.js says it.
  const refusal = 'unable to authenticate data';
  const keys = new KeyRing(first);
  const sealed = keys.seal(Buffer.from('text'), 'place');
  expect(() => keys.open('first', sealed, 'another place')).toThrow(refusal);
  for (const index of sealed.keys()) {
    const altered = Buffer.from(sealed);
    altered[index]! ^= 1;
    expect(() => keys.open('first', altered, 'place')).toThrow(refusal);
  }
});

it.for([
  '',
  key(),
  `:${key()}`,
  `id:${key(31)}`,
  `id:${key(33)}`,
  `i d:${key()}`,
  `${'a'.repeat(33)}:${key()}`,
  `${first},`,
])('refuses the keys "%s"', (keys) => {
  expect(() => new KeyRing(keys)).toThrow('Keys must be given as id:base64 of 32 bytes each');
});

it('takes IDs of up to 32 characters, and each once', () => {
  const longest = 'a'.repeat(32);
  expect(new KeyRing(`${longest}:${key()}`).activeKeyId).toBe(longest);
  expect(() => new KeyRing(`first:${key()},first:${key()}`)).toThrow('Two keys have the same ID');
});
