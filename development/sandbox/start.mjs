import { installDependencies } from './install-dependencies.mjs';

try {
  installDependencies();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

// The same process goes on, so that a signal for `npm start` reaches the launcher itself.
const { register } = await import('tsx/esm/api');
register();
const { main } = await import('./main.ts');
await main();
