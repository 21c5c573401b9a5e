import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { documentedTests, documents, findTroubles } from './documented-tests.ts';

const rows = documents.flatMap(documentedTests);

it.each(rows)('the protection beside "$title" is in files that exist', ({ cells }) => {
  const files = cells
    .slice(0, -1)
    .flatMap((cell) => cell.match(/(?<=`)[\w./-]+\.(?:ts|sql|yml|[cm]js)(?=`)/g) ?? []);
  expect(files).not.toEqual([]);
  expect(files.filter((file) => !existsSync(join(projectDirectory, file)))).toEqual([]);
});

describe('a documented test', () => {
  const documented = { cells: [], file: 'test/a.test.ts', title: 'refuses %s' };
  const troublesWith = (title: string, status: string, file = 'test/a.test.ts') =>
    findTroubles([documented], {
      testResults: [{ name: join(projectDirectory, file), assertionResults: [{ title, status }] }],
    });

  it('is one that ran and passed', () => {
    expect(troublesWith('refuses a stranger', 'passed')).toEqual([]);
  });

  it.each([
    [
      'is absent',
      'accepts a stranger',
      'passed',
      'test/a.test.ts',
      'test/a.test.ts has run no test "refuses %s".',
    ],
    [
      'is in another file',
      'refuses a stranger',
      'passed',
      'test/b.test.ts',
      'test/a.test.ts has run no test "refuses %s".',
    ],
    [
      'failed',
      'refuses a stranger',
      'failed',
      'test/a.test.ts',
      'test/a.test.ts: "refuses a stranger" is failed.',
    ],
    [
      'was skipped',
      'refuses a stranger',
      'skipped',
      'test/a.test.ts',
      'test/a.test.ts: "refuses a stranger" is skipped.',
    ],
  ])('is missed when it %s', (_case, title, status, file, trouble) => {
    expect(troublesWith(title, status, file)).toEqual([trouble]);
  });
});
