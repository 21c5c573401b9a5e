import './run-from-source.mjs';

const { runSandbox } = await import('./run-sandbox.ts');
await runSandbox();
