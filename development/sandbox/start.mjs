import { installDependencies } from './install-dependencies.mjs';

try {
  installDependencies();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

// The launcher runs in this process, so that a signal to `npm start` reaches it.
const { register } = await import('tsx/esm/api');
register();
const { runSandbox } = await import('./run-sandbox.ts');
await runSandbox();
