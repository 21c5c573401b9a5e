import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const projectDirectory = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Prepares the clone: refuses a Node.js that is too old, and runs `npm ci` when node_modules is missing or does not
 * match package-lock.json. Plain JavaScript that imports only Node's own modules, because it runs before any
 * dependency is installed.
 *
 * @throws {Error} when Node.js is too old or `npm ci` fails
 */
export function installDependencies() {
  requireNodeVersion();
  if (isInstalled()) return;
  process.stdout.write('Installing the dependencies in package-lock.json with `npm ci` ...\n');
  const quiet = ['--loglevel=error', '--no-audit', '--no-fund'];
  const { status, error } = spawnSync('npm', ['ci', '--include=dev', ...quiet], {
    cwd: projectDirectory,
    stdio: 'inherit',
  });
  if (error) throw new Error(`npm could not be started: ${error.message}`);
  if (status !== 0) throw new Error('`npm ci` failed. The reason is above.');
}

function requireNodeVersion() {
  const required = readJson('package.json').engines.node.replace('>=', '');
  const [requiredMajor, requiredMinor] = required.split('.').map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > requiredMajor || (major === requiredMajor && minor >= requiredMinor)) return;
  throw new Error(`Node.js ${required} or later is required; this is ${process.versions.node}.`);
}

/** npm writes node_modules/.package-lock.json last, so it is missing after an interrupted installation. */
function isInstalled() {
  if (!existsSync(new URL('../../node_modules/.package-lock.json', import.meta.url))) return false;
  const wanted = Object.entries(readJson('package-lock.json').packages);
  const installed = readJson('node_modules/.package-lock.json').packages;
  return wanted.every(
    ([path, entry]) =>
      path === '' || (installed[path] ? installed[path].version === entry.version : entry.optional),
  );
}

function readJson(path) {
  return JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
}
