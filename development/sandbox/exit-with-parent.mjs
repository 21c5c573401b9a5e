import { isMainThread } from 'node:worker_threads';

/** How long the process may take to end by itself once the launcher is gone, in milliseconds. */
const deadline = 15_000;

// Preloaded into the launcher's Node children; worker threads inherit the preload and have nothing to do here.
if (isMainThread) {
  // Ctrl-C reaches every process of the terminal's group at once; the launcher stops its children in order.
  process.on('SIGINT', () => {});

  // Nobody writes to this pipe. It ends when the launcher does, even by SIGKILL.
  process.stdin.on('end', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.exit(1), deadline).unref();
  });
  process.stdin.resume();
  process.stdin.unref();
}
