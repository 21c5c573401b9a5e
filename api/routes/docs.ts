import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Hono } from 'hono';
import { etag } from 'hono/etag';
import { createOpenapiDocument } from '../../wire/openapi-document.ts';
import type { Api } from '../context.ts';
import type { ApiParts } from '../parts.ts';
import { limitUnreadResponses } from '../http/request-limits.ts';

/** Nothing but this origin: no other host, no inline script or style, no eval. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** How many of these responses, of up to 2 MB, clients may leave unread. */
const maxUnreadResponses = 100;

const page = (name: string) => fileURLToPath(new URL(`../docs-page/${name}`, import.meta.url));
const require = createRequire(import.meta.url);

/** What the page consists of, each made when it is first asked for. */
const assets: Readonly<Record<string, { contentType: string; make: () => Promise<string> }>> = {
  'docs.css': { contentType: 'text/css', make: () => readFile(page('docs.css'), 'utf8') },
  'docs.js': { contentType: 'text/javascript', make: () => bundleForBrowsers(page('docs.ts')) },
  'swagger-ui.css': {
    contentType: 'text/css',
    make: () => readFile(require.resolve('swagger-ui-dist/swagger-ui.css'), 'utf8'),
  },
  'swagger-ui-bundle.js': {
    contentType: 'text/javascript',
    make: () => readFile(require.resolve('swagger-ui-dist/swagger-ui-bundle.js'), 'utf8'),
  },
};

/**
 * `GET /openapi.json`, and `GET /docs`: the documentation, which needs nothing from anywhere else. In the sandbox its
 * requests can be sent from the page, with test data; elsewhere it is to be read.
 */
export function serveDocs(
  app: Hono<Api>,
  { sandboxCredentials, phoneUrl }: Pick<ApiParts, 'sandboxCredentials' | 'phoneUrl'>,
): void {
  const document = createOpenapiDocument();
  const limitUnread = limitUnreadResponses(maxUnreadResponses);
  app.use('/openapi.json', limitUnread);
  app.use('/docs/*', limitUnread);
  app.get('/openapi.json', (context) => context.json(document, 200));

  app.get('/docs', async (context) => {
    const html = await readFile(page('docs.html'), 'utf8');
    context.header('Content-Security-Policy', contentSecurityPolicy);
    context.header('Cache-Control', 'no-cache');
    return context.html(sandboxCredentials ? html : html.replace(' data-sandbox', ''), 200);
  });

  app.use('/docs/*', etag());
  const made = new Map<string, Promise<string>>();
  for (const [name, { contentType, make }] of Object.entries(assets)) {
    app.get(`/docs/${name}`, async (context) => {
      const content = made.get(name) ?? make();
      made.set(name, content);
      context.header('Content-Type', `${contentType}; charset=utf-8`);
      context.header('Cache-Control', 'no-cache');
      return context.body(await content, 200);
    });
  }

  if (phoneUrl !== undefined) app.get('/sandbox/phone', (context) => context.redirect(phoneUrl, 302));
}

/** The page's own code with the client's, which signs and encrypts in the browser as it does elsewhere. */
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
  return outputFiles[0]!.text;
}
