import { writeFileSync } from 'node:fs';
import { createOpenapiDocument } from '../wire/openapi-document.ts';

writeFileSync(
  new URL('../openapi.json', import.meta.url),
  `${JSON.stringify(createOpenapiDocument(), null, 2)}\n`,
);
