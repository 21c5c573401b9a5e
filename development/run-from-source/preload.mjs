import './install.mjs';

// Preloaded by `node --import`: installs what is missing, then lets this very process run TypeScript. The command line
// `tsx` would put a process in between, which loses signals.
const { register } = await import('tsx/esm/api');
register();
