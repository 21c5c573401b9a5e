import { readFileSync } from 'node:fs';
import { describe, expect, inject, it } from 'vitest';
import { readLayerTable, rowOf } from './layer-table.ts';
import type { LayerRow, LayerTable } from './layer-table.ts';
import { parseSource, readSourceFiles } from './source-files.ts';
import type { Import, SourceFile } from './source-files.ts';

const table = readLayerTable();
const files = readSourceFiles();

/** The name under which a row would have to permit `one`, or nothing if it needs no permission. */
function neededPermission({ rows }: LayerTable, own: LayerRow | undefined, one: Import): string | undefined {
  if (!one.isPath) return one.target;
  const target = rowOf(rows, one.target);
  return target === own ? undefined : (target?.folder ?? one.target);
}

/** Imports that the table does not permit, each with its file and row. */
function findForbiddenImports(layers: LayerTable, sources: readonly SourceFile[]): readonly string[] {
  return sources.flatMap(({ path, imports }) => {
    const row = rowOf(layers.rows, path);
    if (row === undefined) return [`${path}: ARCHITECTURE.md has no row for its folder`];
    const { folder, mayImport } = row;
    if (mayImport === undefined) return [];
    return imports.flatMap((one) => {
      const name = neededPermission(layers, row, one);
      const permission = mayImport.find((each) => each.name === name);
      if (name === undefined || (permission && (one.typesOnly || !permission.typesOnly))) return [];
      const kind = permission ? 'a value, where only types are allowed, of' : 'from';
      return [
        `${path} imports ${kind} ${one.target}: the row ${folder} of ARCHITECTURE.md does not permit it`,
      ];
    });
  });
}

/** Permissions that no file needs: the table would claim more than is true. */
function findUnusedPermissions(layers: LayerTable, sources: readonly SourceFile[]): readonly string[] {
  return layers.rows.flatMap((row) => {
    const own = sources.filter(({ path }) => rowOf(layers.rows, path) === row);
    if (own.length === 0) return [`${row.folder}: the row has no files`];
    const imports = own.flatMap((file) => file.imports);
    return (row.mayImport ?? [])
      .filter(
        ({ name, typesOnly }) =>
          !imports.some((one) => neededPermission(layers, row, one) === name && one.typesOnly === typesOnly),
      )
      .map(
        ({ name, typesOnly }) =>
          `${row.folder} never imports ${typesOnly ? 'types' : 'a value'} from ${name}: mend its row`,
      );
  });
}

describe('the table of folders in ARCHITECTURE.md', () => {
  it('has rows', () => {
    expect(table.rows.length).toBeGreaterThan(10);
  });

  it('permits every import', () => {
    expect(findForbiddenImports(table, files)).toEqual([]);
  });

  it('permits nothing that is not used', () => {
    expect(findUnusedPermissions(table, files)).toEqual([]);
  });

  it.each([
    ['contract/masking.ts', "import pg from 'pg';", 'pg'],
    ['contract/calling-hours.ts', "import { z } from 'zod';", 'zod'],
    ['contract/calling-hours.ts', "export { z } from 'zod';", 'zod'],
    ['contract/calling-hours.ts', "import { type Pool } from 'pg';", 'pg'],
    ['contract/calling-hours.ts', "import type pg = require('pg');", 'pg'],
    ['workflows/display.ts', "await import('node:fs');", 'node:'],
    ['workflows/display.ts', 'await import(`node:fs`);', 'node:'],
    ['workflows/display.ts', 'await import(name);', 'an expression'],
    ['workflows/display.ts', "import.meta.resolve('pg');", 'pg'],
    ['workflows/display.ts', "require.resolve('pg/package.json');", 'pg'],
    ['workflows/display.ts', "const load = createRequire(import.meta.url); load('pg');", 'pg'],
    ['workflows/display.ts', "const load = module.createRequire(url); load.resolve('pg');", 'pg'],
    ['workflows/display.ts', "createRequire(import.meta.url)('pg');", 'pg'],
    ['workflows/display.ts', "createRequire(import.meta.url).resolve('pg');", 'pg'],
    ['operator/list.ts', "import '../activities/ars-call.ts';", 'activities/ars-call.ts'],
    ['wire/headers.ts', "type Text = import('../contract/recording.ts').Text;", 'contract/recording.ts'],
    ['nowhere/new.ts', '', ''],
  ])('refuses in %s: %s', (path, source, target) => {
    const forbidden = findForbiddenImports(table, [parseSource(path, source)]);
    expect(forbidden).toHaveLength(1);
    expect(forbidden[0]).toContain(path);
    expect(forbidden[0]).toContain(target);
  });

  it('notices a permission for types that is used for a value, and one that is not used', () => {
    const row = { folder: 'contract/', mayImport: [{ name: 'pg', typesOnly: true }] };
    const layers = { rows: [row], bundle: [] };
    const values = [
      "import { Pool } from 'pg';",
      "import { type Pool, escapeLiteral } from 'pg';",
      // Compiled to `import {} from 'pg'`, which loads the package.
      "import { type Pool } from 'pg';",
      "export { type Pool } from 'pg';",
    ].map((source) => parseSource('contract/a.ts', source));
    const type = parseSource('contract/a.ts', "import type { Pool } from 'pg';");
    expect(findForbiddenImports(layers, [type])).toEqual([]);
    expect(findUnusedPermissions(layers, [type])).toEqual([]);
    expect(values.map((value) => findForbiddenImports(layers, [value]).length)).toEqual([1, 1, 1, 1]);
    expect(findUnusedPermissions(layers, [parseSource('contract/a.ts', '')])).toHaveLength(1);
  });
});

describe('the environment', () => {
  /** Entry points, and what never ships. */
  const mayReadEnvironment = /(^|\/)(main|km)\.ts$|^(development|test)\//;

  it('is read by entry points only', () => {
    const readers = files.filter((file) => file.readsEnvironment).map(({ path }) => path);
    expect(readers).toContain('api/main.ts');
    expect(readers.filter((path) => !mayReadEnvironment.test(path))).toEqual([]);
  });

  it.each([
    'process.env.PORT',
    "process['env']",
    'process?.[`env`]',
    'process[name]',
    'globalThis.process.env',
    "global['process'].env",
    'const { env } = process;',
    'const { process: own } = globalThis;',
    'const own = process; own.env;',
    "import { env } from 'node:process';",
    "await import('process');",
    "require('node:process');",
  ])('is seen to be read by %s', (source) => {
    expect(parseSource('api/app.ts', source).readsEnvironment).toBe(true);
  });

  it.each([
    'process.exit(1);',
    'globalThis.process.pid;',
    'ipaddr.process(address);',
    "import type { Env } from 'process';",
  ])('is not read by %s', (source) => {
    expect(parseSource('api/app.ts', source).readsEnvironment).toBe(false);
  });
});

describe('the workflow bundle', () => {
  it('holds nothing but what ARCHITECTURE.md names, so no zod', () => {
    const code = readFileSync(inject('workflowBundle'), 'utf8');
    const modules = [...code.matchAll(/^\/\*\*\*\/ "(?:\.{1,2}\/)+([^"]+)"/gm)].map(([, module]) => module!);
    const parts = new Set(
      modules.map((module) => {
        const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(module) ?? [];
        return name ?? (rowOf(table.rows, module)?.folder || module);
      }),
    );
    expect([...parts].toSorted()).toEqual([...table.bundle].toSorted());
    expect(code).not.toContain('node_modules/zod');
  });
});
