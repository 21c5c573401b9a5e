import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'oxc-parser';
import { expect, it } from 'vitest';
import { bankAccountOperations } from '../../wire/bank-account-operations.ts';
import { resultCodes } from '../../wire/result-codes.ts';
import { refusalReasons, resultCodeOfRefusal } from '../../contract/refusal-reasons.ts';
import type { ResultCodeEntry } from '../../wire/result-codes.ts';

const entries: readonly [string, ResultCodeEntry][] = Object.entries(resultCodes);

/** What the platform documents, word for word. All other codes are defined by this service. */
const documented: Readonly<Record<string, readonly [number, string]>> = {
  '000_000': [200, 'Success.'],
  '000_002': [400, 'Invalid input value.'],
  '000_003': [400, 'Missing required values.'],
  '000_015': [400, 'The length of value does not match.'],
  '001_006': [400, 'Wallet user not found'],
  '002_013': [400, 'Ars auth and bank account register is still in progress.'],
  '002_014': [400, 'Bank account register failed due to ARS auth failed.'],
  '002_015': [400, 'Bank account register failed due to lifetime account.'],
  '002_016': [400, 'Invalid account.'],
  '002_019': [400, 'Not found ars bank account register error.'],
};

it.for(Object.entries(documented))('%s is as documented', ([code, [status, text]]) => {
  expect(Object.fromEntries(entries)[code]).toMatchObject({ status, text });
});

it('defines its own codes from NNN_900 on, so they cannot collide with documented ones', () => {
  const own = entries.map(([code]) => code).filter((code) => !(code in documented));
  expect(own).toSatisfy((codes: string[]) => codes.every((code) => /^00[0-2]_9\d\d$/.test(code)));
  expect(own.length).toBe(entries.length - Object.keys(documented).length);
});

it('uses 200 for success only, and 400 unless HTTP has a more specific status', () => {
  const others = Object.fromEntries(
    entries.filter(([, { status }]) => status !== 400).map(([code, { status }]) => [code, status]),
  );
  expect(others).toEqual({
    '000_000': 200,
    '000_909': 404,
    '000_910': 405,
    '000_911': 413,
    '000_912': 415,
    '000_914': 429,
    '000_915': 408,
    '000_990': 500,
    '000_991': 503,
  });
});

it('has a unique text and an explanation for each code', () => {
  for (const [, { text, when }] of entries) {
    expect(text).toMatch(/^[A-Z][\x20-\x7e]+$/);
    expect(when).toMatch(/\.$/);
  }
  expect(new Set(entries.map(([, { text }]) => text)).size).toBe(entries.length);
});

it('marks every failure of the service itself as retryable', () => {
  expect(entries.filter(([, { status }]) => status >= 500).every(([, { retryable }]) => retryable)).toBe(
    true,
  );
});

it('maps every refusal reason to a code of the bank account family', () => {
  expect(Object.keys(resultCodeOfRefusal).toSorted()).toEqual([...refusalReasons].toSorted());
  for (const code of Object.values(resultCodeOfRefusal)) expect(code).toMatch(/^002_/);
});

/**
 * The catalogue promises every code to clients, so a code that nothing returns is a false promise. The syntax tree tells it:
 * some codes are needed only where the payment gateway or Temporal is down.
 */
it('has only codes that the service uses', () => {
  const used = new Set(['api', 'activities', 'contract', 'database', 'workflows'].flatMap(codesUsedIn));
  expect(entries.filter(([, { name }]) => !used.has(name)).map(([code]) => code)).toEqual([]);
});

it('documents every code of a member or bank account at an operation', () => {
  const listed = new Set<string>(bankAccountOperations.flatMap(({ codes }) => codes));
  const expected = entries.map(([code]) => code).filter((code) => !code.startsWith('000_'));
  expect([...listed].toSorted()).toEqual(expected.toSorted());
});

/** The names of the codes that the TypeScript of a directory refers to as `codes.<name>`, comparisons aside. */
function codesUsedIn(directory: string): readonly string[] {
  const path = fileURLToPath(new URL(`../../${directory}`, import.meta.url));
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  return files.flatMap((file) => {
    const used: string[] = [];
    const compared = new Set<unknown>();
    new Visitor({
      BinaryExpression({ left, right }) {
        compared.add(left).add(right);
      },
      MemberExpression(member) {
        const { object, property } = member;
        if (compared.has(member) || object.type !== 'Identifier' || object.name !== 'codes') return;
        if (property.type === 'Identifier') used.push(property.name);
      },
    }).visit(parseSync(file, readFileSync(`${path}/${file}`, 'utf8')).program);
    return used;
  });
}
