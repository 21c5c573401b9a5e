import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'oxc-parser';
import type { Node } from 'oxc-parser';

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
  const add = (specifier: string, typesOnly: boolean): void => {
    imports.push({ ...locate(path, specifier), typesOnly });
    readsEnvironment ||= !typesOnly && /^(node:)?process$/.test(specifier);
  };
  /** Variables that hold `require`, and what each call of any variable would import. */
  const requires = new Set(['require']);
  const calls: { readonly variable: string; readonly specifier: string }[] = [];
  /** Where `process` stands without its environment being read. */
  const harmless = new Set<number>();
  new Visitor({
    // verbatimModuleSyntax compiles `import { type T } from 'pg'` to `import {} from 'pg'`, which loads the package.
    ImportDeclaration({ source: { value }, importKind }) {
      add(value, importKind === 'type');
    },
    ExportNamedDeclaration({ source: from, exportKind }) {
      if (from) add(from.value, exportKind === 'type');
    },
    ExportAllDeclaration({ source: { value }, exportKind }) {
      add(value, exportKind === 'type');
    },
    TSImportEqualsDeclaration({ moduleReference, importKind }) {
      if (moduleReference.type !== 'TSExternalModuleReference') return;
      add(moduleReference.expression.value, importKind === 'type');
    },
    TSImportType({ source: { value } }) {
      add(value, true);
    },
    ImportExpression({ source: from }) {
      add(textOf(from), false);
    },
    VariableDeclarator({ id, init }) {
      if (id.type === 'Identifier' && isCreateRequire(init)) requires.add(id.name);
    },
    CallExpression({ callee, arguments: [argument] }) {
      const called =
        nameOf(callee) === 'resolve' && callee.type === 'MemberExpression' ? callee.object : callee;
      if (called.type === 'MetaProperty' || isCreateRequire(called)) add(textOf(argument), false);
      if (called.type === 'Identifier') calls.push({ variable: called.name, specifier: textOf(argument) });
    },
    MemberExpression(member) {
      const { object, property } = member;
      if (isGlobalProcess(object) && ![undefined, 'env'].includes(nameOf(member))) harmless.add(object.start);
      if (!member.computed) harmless.add(property.start);
      readsEnvironment ||= isGlobalProcess(member) && !harmless.has(member.start);
    },
    Identifier({ name, start }) {
      readsEnvironment ||= name === 'process' && !harmless.has(start);
    },
  }).visit(program);
  for (const { variable, specifier } of calls) if (requires.has(variable)) add(specifier, false);
  return { path, imports, readsEnvironment };
}

/** The text of a literal. Anything else is a target that no row permits. */
function textOf(node: Node | undefined): string {
  return (node && literalOf(node)) ?? 'an expression';
}

function literalOf(node: Node): string | undefined {
  if (node.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0]!.value.cooked!;
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
}

/** The last name of `a`, `a.b` or `a['b']`. */
function nameOf(node: Node): string | undefined {
  if (node.type === 'Identifier') return node.name;
  if (node.type !== 'MemberExpression') return undefined;
  const { computed, property } = node;
  return computed || property.type !== 'Identifier' ? literalOf(property) : property.name;
}

function isCreateRequire(node: Node | null): boolean {
  return node?.type === 'CallExpression' && nameOf(node.callee) === 'createRequire';
}

/** `process`, `globalThis.process` or `global.process`. */
function isGlobalProcess(node: Node): boolean {
  if (nameOf(node) !== 'process') return false;
  return node.type !== 'MemberExpression' || /^global(This)?$/.test(nameOf(node.object) ?? '');
}

function locate(path: string, specifier: string): Omit<Import, 'typesOnly'> {
  if (specifier.startsWith('.')) {
    return { target: posix.join(posix.dirname(path), specifier), isPath: true };
  }
  if (specifier.startsWith('node:')) return { target: 'node:', isPath: false };
  return { target: specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'), isPath: false };
}
