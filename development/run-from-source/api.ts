import { runApi } from '../../api/run-api.ts';
import { apiConfigSchema } from '../../runtime/config.ts';
import { runMain } from '../../runtime/process.ts';
import { settingsSource } from '../../runtime/reloaded-settings.ts';
import { buildDocsPage } from '../build/docs-page.ts';

/** `npm run api`: the API without a build. */
runMain(() => runApi(settingsSource(apiConfigSchema, process.env), { loadDocsPage: buildDocsPage }));
