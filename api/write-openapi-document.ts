import { writeFileSync } from 'node:fs';
import { createOpenapiDocument } from '../contract/openapi-document.ts';

writeFileSync(
  new URL('../openapi.json', import.meta.url),
  `${JSON.stringify(createOpenapiDocument(), null, 2)}\n`,
);
