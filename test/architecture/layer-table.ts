import { readFileSync } from 'node:fs';

/** What a folder may import: a folder of the project, an npm package, or `node:` for Node.js itself. */
export interface Permission {
  readonly name: string;
  /** Only types, which leave no trace at run time. */
  readonly typesOnly: boolean;
}

export interface LayerRow {
  /** With a slash at the end; `./` for the files at the top level. */
  readonly folder: string;
  /** No list: the folder may import everything. */
  readonly mayImport: readonly Permission[] | undefined;
}

export interface LayerTable {
  readonly rows: readonly LayerRow[];
  /** Folders and packages the workflow bundle may hold. */
  readonly bundle: readonly string[];
}

/** Reads the table of folders and the sentence about the workflow bundle from ARCHITECTURE.md. */
export function readLayerTable(): LayerTable {
  const page = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([\w./-]+\/)` +\|(.*)\|(.*)\|(.*)\|$/gm)].map(
    ([, folder = '', , folders = '', packages = '']): LayerRow => ({
      folder,
      mayImport:
        folders.trim() === 'everything' ? undefined : [...permissions(folders), ...permissions(packages)],
    }),
  );
  const [, bundle = ''] = /^The workflow bundle holds only (.+)\.$/m.exec(page) ?? [];
  return { rows, bundle: permissions(bundle).map(({ name }) => name) };
}

function permissions(cell: string): readonly Permission[] {
  return [...cell.matchAll(/(types of )?`([^`]+)`/g)].map(([, types, name = '']) => ({
    name,
    typesOnly: types !== undefined,
  }));
}

/** The row of the closest folder above `path`, which is relative to the project. */
export function rowOf(rows: readonly LayerRow[], path: string): LayerRow | undefined {
  return rows
    .filter(({ folder }) => (folder === './' ? !path.includes('/') : path.startsWith(folder)))
    .toSorted((one, other) => other.folder.length - one.folder.length)[0];
}
