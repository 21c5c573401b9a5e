import '../run-from-source/preload.mjs';

const { runSandbox } = await import('./run-sandbox.ts');
await runSandbox();
