import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build, stop } from 'esbuild';
import type { DocsPage } from '../../api/docs-page.ts';

const source = (name: string) => fileURLToPath(new URL(`../../api/docs-page/${name}`, import.meta.url));
const require = createRequire(import.meta.url);

/** Makes the documentation page from its source and from Swagger UI. */
export async function buildDocsPage(): Promise<DocsPage> {
  return {
    'docs.html': await readFile(source('docs.html'), 'utf8'),
    'docs.css': await readFile(source('docs.css'), 'utf8'),
    'docs.js': await bundleForBrowsers(source('docs.ts')),
    'swagger-ui.css': await readFile(require.resolve('swagger-ui-dist/swagger-ui.css'), 'utf8'),
    'swagger-ui-bundle.js': await readFile(require.resolve('swagger-ui-dist/swagger-ui-bundle.js'), 'utf8'),
  };
}

/** Bundles the page's code with the client's, which signs and encrypts in the browser as it does elsewhere. */
async function bundleForBrowsers(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  });
  // Ends esbuild's own process, which would outlive this one by a moment.
  await stop();
  return outputFiles[0]!.text;
}
