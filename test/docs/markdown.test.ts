import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'oxc-parser';
import { describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('../../', import.meta.url));
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: project,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(project + file));
const { scripts } = JSON.parse(readFileSync(`${project}package.json`, 'utf8')) as {
  scripts: Record<string, string>;
};
/** Dated records may name what no longer exists. */
const pages = files.filter((file) => file.endsWith('.md') && !/^docs\/decisions\/\d|^CHANGELOG/.test(file));

/** What a page names and what does not exist: npm scripts, link targets, files and folders in code. */
function findUnknownNames(page: string, text: string): readonly string[] {
  const prose = text.replace(/^ *```[^]*?^ *```/gm, '');
  const commands = [...text.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)].map(([, script]) => script!);
  const links = [...prose.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target!);
  const code = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, content]) => content!);
  return [
    ...commands.filter((script) => !(script in scripts)).map((script) => `npm run ${script}`),
    ...links.filter((target) => !/^[a-z]+:/.test(target) && !existsIn(posix.dirname(page), target)),
    ...code.filter((content) => isPath(content) && !isNamed(page, content)),
  ];
}

/** Folders end with a slash; of files, only source and pages are checked. Routes and packages are not paths. */
function isPath(code: string): boolean {
  return (
    /^[\w.][\w./-]*(\/|\.(ts|mts|mjs|cjs|md|sql))$/.test(code) && !/^(data|dist|node_modules)\//.test(code)
  );
}

function isNamed(page: string, path: string): boolean {
  if (existsIn('.', path) || existsIn(posix.dirname(page), path)) return true;
  return !path.includes('/') && files.some((file) => posix.basename(file) === path);
}

function existsIn(folder: string, path: string): boolean {
  return existsSync(posix.join(project, folder, path));
}

it('there are pages', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'ARCHITECTURE.md', 'docs/operations.md']));
});

it.each(pages)('%s names only files, folders and npm scripts that exist', (page) => {
  expect(findUnknownNames(page, readFileSync(project + page, 'utf8'))).toEqual([]);
});

const numbers = [
  ...readFileSync(`${project}ARCHITECTURE.md`, 'utf8')
    .split('## Where the numbers are')[1]!
    .split('\n## ')[0]!
    .matchAll(/^\|.*\| (.*`.*) \| `([^`]+)` +\|$/gm),
].map(([, names, file]) => [names!.trim(), file!] as const);

it('ARCHITECTURE.md says where the numbers are', () => {
  expect(numbers.length).toBeGreaterThan(8);
});

it.each(numbers)('the number %s is defined in %s', (names, file) => {
  const words = [...names.matchAll(/`(\w+)`(?: of `(\w+)`)?/g)].map(([, name, whole]) => [
    whole ?? name!,
    name!,
  ]);
  const constants = readConstants(file);
  for (const [constant, name] of words) expect(constants.get(constant!), constant).toContain(name);
});

/** The constants of a file, each with its own name and those of the properties in it. */
function readConstants(file: string): ReadonlyMap<string, readonly string[]> {
  const { program } = parseSync(file, readFileSync(project + file, 'utf8'));
  const constants = new Map<string, string[]>();
  let names: string[] = [];
  new Visitor({
    VariableDeclarator({ id }) {
      if (id.type === 'Identifier') constants.set(id.name, (names = [id.name]));
    },
    Property({ key }) {
      if (key.type === 'Identifier') names.push(key.name);
    },
  }).visit(program);
  return constants;
}

describe('a name that does not exist is found', () => {
  it.each([
    ['`activities/nothing.ts`', 'activities/nothing.ts'],
    ['`nothing.ts`', 'nothing.ts'],
    ['`platform/`', 'platform/'],
    ['[a page](nothing.md#part)', 'nothing.md'],
    ['```sh\nnpm run nothing -- --seed 1\n```', 'npm run nothing'],
  ])('in %s', (text, name) => {
    expect(findUnknownNames('README.md', text)).toEqual([name]);
  });
});
