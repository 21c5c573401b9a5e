import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadOrCreateSecrets } from '../../development/sandbox/secrets.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';

test('secrets are created once and readable by their owner only', () => {
  const directory = temporaryDirectory();

  const first = loadOrCreateSecrets(directory);
  const second = loadOrCreateSecrets(directory);

  expect(second).toEqual(first);
  expect(readdirSync(directory)).toEqual(['secrets.json']);
  expect(statSync(join(directory, 'secrets.json')).mode & 0o777).toBe(0o600);
});

test('each secret has its documented format, and no two are equal', () => {
  const { PAYLOAD_KEYS, DATABASE_KEYS, PG_SHARED_SECRET } = loadOrCreateSecrets(temporaryDirectory());

  for (const keys of [PAYLOAD_KEYS, DATABASE_KEYS]) {
    const [name, key = ''] = keys.split(':');
    expect(name).toBe('sandbox');
    expect(Buffer.from(key, 'base64')).toHaveLength(32);
  }
  expect(PAYLOAD_KEYS).not.toBe(DATABASE_KEYS);
  expect(PG_SHARED_SECRET).toMatch(/^sandbox-[0-9a-f]{64}$/);
});

test.each(['', '{"PAYLOAD_KEYS":"k1:short"}'])('a damaged file is refused and not changed', (content) => {
  const directory = temporaryDirectory();
  const file = join(directory, 'secrets.json');
  writeFileSync(file, content);

  expect(() => loadOrCreateSecrets(directory)).toThrow(`${file} is damaged`);
  expect(readFileSync(file, 'utf8')).toBe(content);
});
