import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDocsPage } from './docs-page.ts';
import { buildWorkflowBundle } from './workflow-bundle.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const target = join(project, 'dist');

/** What the compiled programs read beside JavaScript that the compiler writes. */
const copied = ['encryption/failure-converter.cjs', 'database/migrations'];

rmSync(target, { recursive: true, force: true });
execFileSync('npx', ['--no-install', 'tsc', '--project', 'tsconfig.build.json'], {
  cwd: project,
  stdio: 'inherit',
});
for (const path of copied) cpSync(join(project, path), join(target, path), { recursive: true });

const { code } = await buildWorkflowBundle();
write('workflow-bundle.js', code);
const docsPage = Object.entries(await buildDocsPage());
for (const [name, text] of docsPage) write(`docs-page/${name}`, text);

const files = readdirSync(target, { recursive: true, encoding: 'utf8' });
const modules = files.filter((file) => file.endsWith('.js')).length;
process.stdout.write(
  `Built dist/: ${modules} JavaScript files, the workflow bundle (${megabytes(code)} MB) and the documentation page.\n`,
);

function write(path: string, text: string): void {
  const file = join(target, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function megabytes(text: string): string {
  return (Buffer.byteLength(text) / 1e6).toFixed(1);
}
