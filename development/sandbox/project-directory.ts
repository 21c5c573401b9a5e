import { fileURLToPath } from 'node:url';

/** Absolute path of the clone, wherever the command was started. */
export const projectDirectory = fileURLToPath(new URL('../..', import.meta.url));
