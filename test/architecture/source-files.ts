import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'oxc-parser';

export interface Import {
  /** A path relative to the project, the name of an npm package, or `node:`. */
  readonly target: string;
  readonly isPath: boolean;
  readonly typesOnly: boolean;
}

export interface SourceFile {
  /** Relative to the project. */
  readonly path: string;
  readonly imports: readonly Import[];
  readonly readsEnvironment: boolean;
}

const project = fileURLToPath(new URL('../../', import.meta.url));
/** Not source: dependencies, results of builds and runs. */
const ignored = /^\.|(^|\/)(node_modules|dist|data|coverage)$/;

/** Every file of the project that holds JavaScript or TypeScript, parsed. */
export function readSourceFiles(): readonly SourceFile[] {
  return listFiles('')
    .filter((path) => /\.[cm]?[jt]s$/.test(path) && !path.endsWith('.d.ts'))
    .map((path) => parseSource(path, readFileSync(project + path, 'utf8')));
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(project + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (ignored.test(path)) return [];
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

/** @throws Error if `source` cannot be parsed */
export function parseSource(path: string, source: string): SourceFile {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]!.message}`);
  const imports: Import[] = [];
  let readsEnvironment = false;
  const add = (specifier: string, typesOnly: boolean) =>
    imports.push({ ...locate(path, specifier), typesOnly });
  new Visitor({
    ImportDeclaration({ source: { value }, importKind, specifiers }) {
      add(
        value,
        importKind === 'type' ||
          (specifiers.length > 0 &&
            specifiers.every((one) => one.type === 'ImportSpecifier' && one.importKind === 'type')),
      );
      readsEnvironment ||= value === 'node:process' || value === 'process';
    },
    ExportNamedDeclaration({ source: from, exportKind }) {
      if (from) add(from.value, exportKind === 'type');
    },
    ExportAllDeclaration({ source: { value }, exportKind }) {
      add(value, exportKind === 'type');
    },
    ImportExpression({ source: from }) {
      if (from.type === 'Literal' && typeof from.value === 'string') add(from.value, false);
    },
    TSImportType({ source: { value } }) {
      add(value, true);
    },
    CallExpression({ callee, arguments: [argument] }) {
      if (callee.type !== 'Identifier' || callee.name !== 'require') return;
      if (argument?.type === 'Literal' && typeof argument.value === 'string') add(argument.value, false);
    },
    MemberExpression({ object, property }) {
      if (object.type !== 'Identifier' || object.name !== 'process') return;
      readsEnvironment ||=
        (property.type === 'Identifier' && property.name === 'env') ||
        (property.type === 'Literal' && property.value === 'env');
    },
  }).visit(program);
  return { path, imports, readsEnvironment };
}

function locate(path: string, specifier: string): Omit<Import, 'typesOnly'> {
  if (specifier.startsWith('.')) {
    return { target: posix.join(posix.dirname(path), specifier), isPath: true };
  }
  if (specifier.startsWith('node:')) return { target: 'node:', isPath: false };
  return { target: specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'), isPath: false };
}
