import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { bankAccountOperations } from '../../wire/bank-account-operations.ts';
import { resultCodes } from '../../wire/result-codes.ts';
import { refusalReasons, resultCodeOfRefusal } from '../../contract/refusal-reasons.ts';
import type { ResultCodeEntry } from '../../wire/result-codes.ts';

const entries: readonly [string, ResultCodeEntry][] = Object.entries(resultCodes);

/** What the platform documents, word for word; everything else is this service's own. */
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

it('keeps its own codes from NNN_900 on, where no documented one can be', () => {
  const own = entries.map(([code]) => code).filter((code) => !(code in documented));
  expect(own).toSatisfy((codes: string[]) => codes.every((code) => /^00[0-2]_9\d\d$/.test(code)));
  expect(own.length).toBe(entries.length - Object.keys(documented).length);
});

it('answers with 200 for success alone, and beside 400 with what HTTP has a status for', () => {
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

it('has a text and an occasion for each code, and each text once', () => {
  for (const [, { text, when }] of entries) {
    expect(text).toMatch(/^[A-Z][\x20-\x7e]+$/);
    expect(when).toMatch(/\.$/);
  }
  expect(new Set(entries.map(([, { text }]) => text)).size).toBe(entries.length);
});

it('lets a call be repeated after every failure of the service itself', () => {
  expect(entries.filter(([, { status }]) => status >= 500).every(([, { retryable }]) => retryable)).toBe(
    true,
  );
});

it('gives every reason of refusal a code of the bank account family', () => {
  expect(Object.keys(resultCodeOfRefusal).toSorted()).toEqual([...refusalReasons].toSorted());
  for (const code of Object.values(resultCodeOfRefusal)) expect(code).toMatch(/^002_/);
});

it('uses every code somewhere in the service', () => {
  const sources = ['api', 'activities', 'workflows'].map(sourceOf).join('\n');
  const used = new Set(sources.match(/(?<=')\d{3}_\d{3}(?=')/g));
  if (sources.includes('resultCodeOfRefusal[')) {
    for (const code of Object.values(resultCodeOfRefusal)) used.add(code);
  }
  expect([...used].toSorted()).toEqual(entries.map(([code]) => code).toSorted());
});

it('has every code of a family of its own in the list of an operation', () => {
  const listed = new Set<string>(bankAccountOperations.flatMap(({ codes }) => codes));
  const expected = entries.map(([code]) => code).filter((code) => !code.startsWith('000_'));
  expect([...listed].toSorted()).toEqual(expected.toSorted());
});

function sourceOf(directory: string): string {
  const path = fileURLToPath(new URL(`../../${directory}`, import.meta.url));
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(`${path}/${name}`, 'utf8'))
    .join('\n');
}
