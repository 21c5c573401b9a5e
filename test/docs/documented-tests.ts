import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';

/** The documents whose tables say which test proves what. */
export const documents = ['SECURITY.md', 'ARCHITECTURE.md'];

/** A row of a table whose last column names a test, as in: `test/wire/limits.test.ts` › is refused with 429 */
export interface DocumentedTest {
  /** The row's cells. */
  readonly cells: readonly string[];
  readonly file: string;
  /** The test's own name, without the blocks around it; %s, %d and $name stand for what a parametrized test puts there. */
  readonly title: string;
}

/** The part of vitest's JSON report that is used. */
export interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** The rows of a document that name a test. */
export function documentedTests(document: string): DocumentedTest[] {
  return readFileSync(join(projectDirectory, document), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const cells = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      const [, file, title] = /^`(test\/[\w./-]+)` › (.+)$/.exec(cells.at(-1) ?? '') ?? [];
      return file && title ? [{ cells, file, title }] : [];
    });
}

/** Whether a documented title is that of a test. */
export function isTitleOf(documented: string, title: string): boolean {
  const pattern = documented
    .split(/%[sd]|\$\w+/)
    .map((text) => text.replace(/[$()*+./?[\\\]^{|}-]/g, String.raw`\$&`))
    .join('.*');
  return new RegExp(`^${pattern}$`).test(title);
}

/**
 * The documented tests that did not run, or did not pass. A test that needs PostgreSQL is skipped for the embedded database, and
 * everywhere if there is no PostgreSQL.
 */
export function findTroubles(
  tests: readonly DocumentedTest[],
  { testResults }: TestReport,
  hasPostgres = true,
): string[] {
  return tests.flatMap(({ file, title }) => {
    const results = testResults.find(({ name }) => relative(projectDirectory, name) === file);
    const found = results?.assertionResults.filter((test) => isTitleOf(title, test.title)) ?? [];
    if (found.length === 0) return [`${file} has run no test "${title}".`];
    const mayBeSkipped = !hasPostgres || found.some(({ status }) => status === 'passed');
    return found
      .filter(({ status }) => status !== 'passed' && !(mayBeSkipped && status === 'skipped'))
      .map((test) => `${file}: "${test.title}" is ${test.status}.`);
  });
}
