import { isMainThread } from 'node:worker_threads';

/** How long the process may take to stop once the launcher is gone, in ms. */
const stopTimeoutMs = 15_000;

// Preloaded into the launcher's Node children. Worker threads inherit the preload and skip it.
if (isMainThread) {
  // Ctrl-C reaches every process of the terminal's group. Ignored here, because the launcher stops its children in order.
  process.on('SIGINT', () => {});

  // Nothing is written to this pipe. It closes when the launcher exits, even by SIGKILL.
  process.stdin.on('end', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
  });
  process.stdin.resume();
  process.stdin.unref();
}
