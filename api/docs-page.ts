import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files of the documentation page, with their content types. `npm run build` makes them. */
export const docsPageFiles = {
  'docs.html': 'text/html',
  'docs.css': 'text/css',
  'docs.js': 'text/javascript',
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
} as const;

export type DocsPageFile = keyof typeof docsPageFiles;

/** The documentation page: the text of each file. */
export type DocsPage = Readonly<Record<DocsPageFile, string>>;

/** Reads the documentation page from the directory that the build has written. Throws when a file is missing. */
export function readDocsPage(directory: string): DocsPage {
  const names = Object.keys(docsPageFiles) as DocsPageFile[];
  const files = names.map((name) => [name, readFileSync(join(directory, name), 'utf8')]);
  return Object.fromEntries(files) as DocsPage;
}
