import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sabotages } from '../../development/fault-injection/sabotage.ts';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { applyReplacement } from '../../development/fault-injection/source-copy.ts';
import { documentedTests, isTitleOf } from '../docs/documented-tests.ts';
import { guards } from './guards.ts';
import { rules } from './rules.ts';
import { threats } from './threats.ts';

const sources = (file: string): string => readFileSync(join(projectDirectory, file), 'utf8');

const protections = [
  ...guards.map(({ name, replacements }) => ({ name, replacements })),
  ...Object.entries(sabotages).map(([name, { replacements }]) => ({ name: `${name} (chaos)`, replacements })),
];

describe('the change that takes out a protection', () => {
  it.each(protections)('applies to the source as it is: $name', ({ replacements }) => {
    for (const replacement of replacements) {
      expect(applyReplacement(sources(replacement.file), replacement)).toContain(replacement.by);
    }
  });

  it('is stale where its text is absent or ambiguous', () => {
    const replacement = { file: 'workflows/display.ts', text: 'guard();', by: '' };
    expect(() => applyReplacement('nothing here', replacement)).toThrow(
      'stale: workflows/display.ts has the text 0 times',
    );
    expect(() => applyReplacement('guard(); guard();', replacement)).toThrow(
      'stale: workflows/display.ts has the text 2 times',
    );
  });
});

describe.each([
  ['SECURITY.md', threats],
  ['ARCHITECTURE.md', rules],
] as const)('%s', (document, listed) => {
  const rows = documentedTests(document);

  it('has one row for each guard', () => {
    expect(rows.map(({ cells }) => cells[0])).toEqual(listed.map(({ name }) => `\`${name}\``));
  });

  it('names a test that must fail without the protection', () => {
    const others = rows.filter(({ file, title }, index) => {
      const tests = listed[index]?.tests ?? [];
      return !tests.some((test) => test.file === file && isTitleOf(title, test.name.split(' > ').at(-1)!));
    });
    expect(others).toEqual([]);
  });
});

it.each(guards)('$name names the assertion that must fail', ({ failure }) => {
  for (const anything of ['AssertionError: expected', 'AssertionError: x', '']) {
    expect(anything).not.toMatch(failure);
  }
});
