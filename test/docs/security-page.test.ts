import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const inProject = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

const threats = readFileSync(inProject('SECURITY.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| threat') && !line.startsWith('| --'))
  .map((line) => line.slice(1, -1).split('|'))
  .map(([threat = '', protection = '', test = '']) => [threat.trim(), protection, test] as const);

it('there are threats', () => {
  expect(threats.length).toBeGreaterThan(30);
});

it.for(threats)('%s: its protection and its test are there', ([, protection, test]) => {
  const files = [...protection.matchAll(/`([\w./-]+\.(?:ts|mjs))`/g)].map(([, file]) => file!);
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => !existsSync(inProject(file)))).toEqual([]);

  const [, testFile = '', testName = ''] = /`(test\/[\w./-]+)` › (.+)$/.exec(test.trim()) ?? [];
  expect(testName).not.toBe('');
  // A name may go on behind what stands here, but does not begin before it, unless by a value put in.
  const names = [
    ...readFileSync(inProject(testFile), 'utf8').matchAll(/['"`]((?:[^'"`\\\n]|\\.)+)['"`]/g),
  ].map(([, name]) => name!);
  expect(
    names.filter((name) => name.replace(/^(a )?%s /, '').startsWith(testName.replace(/^%s /, ''))),
  ).not.toEqual([]);
});
