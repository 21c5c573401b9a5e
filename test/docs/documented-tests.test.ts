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
  const resultsOf = (title: string, statuses: string[], file = 'test/a.test.ts') => ({
    testResults: [
      { name: join(projectDirectory, file), assertionResults: statuses.map((status) => ({ title, status })) },
    ],
  });
  const troublesWith = (title: string, status: string, file?: string) =>
    findTroubles([documented], resultsOf(title, [status], file));

  it('is one that ran and passed', () => {
    expect(troublesWith('refuses a stranger', 'passed')).toEqual([]);
  });

  it('may be skipped for the embedded database if it passed on PostgreSQL', () => {
    const title = 'refuses a stranger';
    expect(findTroubles([documented], resultsOf(title, ['skipped', 'passed']))).toEqual([]);
    expect(findTroubles([documented], resultsOf(title, ['skipped', 'failed']))).not.toEqual([]);
  });

  it('may be skipped where there is no PostgreSQL', () => {
    const results = resultsOf('refuses a stranger', ['skipped']);
    expect(findTroubles([documented], results, false)).toEqual([]);
    expect(findTroubles([documented], results)).not.toEqual([]);
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
