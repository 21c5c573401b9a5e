import { writeFileSync } from 'node:fs';

/**
 * Keeps the memory of this process and of those that it starts out of core dumps: it holds keys. Linux only; elsewhere, set
 * `ulimit -c 0`.
 */
export function keepMemoryOutOfCoreDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // Not Linux.
  }
}
