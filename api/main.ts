import { fileURLToPath } from 'node:url';
import { apiConfigSchema } from '../runtime/config.ts';
import { runMain } from '../runtime/process.ts';
import { settingsSource } from '../runtime/reloaded-settings.ts';
import { readDocsPage } from './docs-page.ts';
import { runApi } from './run-api.ts';

/** Where `npm run build` puts the documentation page. */
const docsPageDirectory = fileURLToPath(new URL('../docs-page', import.meta.url));

runMain(() =>
  runApi(settingsSource(apiConfigSchema, process.env), {
    loadDocsPage: () => readDocsPage(docsPageDirectory),
  }),
);
