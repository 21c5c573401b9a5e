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
  expect(open).toThrow(expect.objectContaining({ name: 'MissingKeyError' }));
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

// Named, since mutation testing finds a test again by its name and the keys are random.
it.for([
  ['empty', ''],
  ['without an ID', key()],
  ['with an empty ID', `:${key()}`],
  ['with a key of 31 bytes', `id:${key(31)}`],
  ['with a key of 33 bytes', `id:${key(33)}`],
  ['with an ID of two words', `i d:${key()}`],
  ['with an ID that ends with a dot', `id.:${key()}`],
  ['with an ID that begins with a dot', `.id:${key()}`],
  ['with an ID of 33 characters', `${'a'.repeat(33)}:${key()}`],
  ['with an ID alone', 'id'],
  ['with an empty second key', `${first},`],
] as const)('refuses keys %s', ([, keys]) => {
  expect(() => new KeyRing(keys)).toThrow('Keys must be given as id:base64 of 32 bytes each');
});

it('hashes a value once with each key, and otherwise in every context', () => {
  const [old, both] = [new KeyRing(first), new KeyRing(`${second},${first}`)];
  const [active, former] = both.hash('01012345678', 'phone');
  expect(both.hash('01012345678', 'phone')).toEqual([active, former]);
  expect([active, former]).toEqual([
    expect.stringMatching(/^[\w-]{43}$/),
    expect.stringMatching(/^[\w-]{43}$/),
  ]);
  expect(old.hash('01012345678', 'phone')).toEqual([former]);
  expect(both.hash('01012345678', 'account')).not.toContain(active);
  expect(both.hash('01012345679', 'phone')).not.toContain(active);
});

it('takes IDs of up to 32 characters, and each once', () => {
  const longest = 'a'.repeat(32);
  expect(new KeyRing(`${longest}:${key()}`).activeKeyId).toBe(longest);
  expect(() => new KeyRing(`first:${key()},first:${key()}`)).toThrow('Two keys have the same ID');
});
