import { fileURLToPath } from 'node:url';
import { writeWorkflowBundle } from './workflow-bundle.ts';

const target = fileURLToPath(new URL('../dist/workflow-bundle.js', import.meta.url));
const length = await writeWorkflowBundle(target);
process.stdout.write(`${target}: ${length} characters\n`);
