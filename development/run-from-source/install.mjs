import { installDependencies } from './install-dependencies.mjs';

// Runs before the commands of package.json, so that each works on a fresh clone.
try {
  installDependencies();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
