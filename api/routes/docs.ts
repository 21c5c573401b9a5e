import type { Hono } from 'hono';
import { etag } from 'hono/etag';
import { createOpenapiDocument } from '../../wire/openapi-document.ts';
import type { Api } from '../context.ts';
import type { ApiParts } from '../parts.ts';
import { limitUnreadResponses } from '../http/request-limits.ts';
import { docsPageFiles } from '../docs-page.ts';
import type { DocsPageFile } from '../docs-page.ts';

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

/**
 * `GET /openapi.json`, and `GET /docs`: the documentation, without resources from other hosts. In the sandbox, requests
 * can be sent from the page, with test data; elsewhere it is read-only. `/` and `/docs/` lead there.
 */
export function serveDocs(
  app: Hono<Api>,
  { docsPage, serveSandbox }: Pick<ApiParts, 'docsPage' | 'serveSandbox'>,
): void {
  const document = createOpenapiDocument();
  const limitUnread = limitUnreadResponses(maxUnreadResponses);
  app.use('/openapi.json', limitUnread);
  app.use('/docs/*', limitUnread);
  app.get('/openapi.json', (context) => context.json(document, 200));

  if (docsPage) {
    app.use('/docs/*', etag());
    const { 'docs.html': html, ...assets } = docsPage;
    const shownHtml = serveSandbox ? html : html.replace(' data-sandbox', '');
    app.get('/docs', (context) => {
      context.header('Content-Security-Policy', contentSecurityPolicy);
      context.header('Cache-Control', 'no-cache');
      return context.html(shownHtml, 200);
    });
    // Relative, so that they hold below a path prefix of a proxy, too.
    app.get('/', (context) => context.redirect('docs'));
    app.get('/docs/', (context) => context.redirect('../docs'));
    for (const [name, content] of Object.entries(assets)) {
      const contentType = `${docsPageFiles[name as DocsPageFile]}; charset=utf-8`;
      app.get(`/docs/${name}`, (context) => {
        context.header('Content-Type', contentType);
        context.header('Cache-Control', 'no-cache');
        return context.body(content, 200);
      });
    }
  }
}
