import type { Guard } from './guard.ts';
import { rules } from './rules.ts';
import { threats } from './threats.ts';

/** Every protection of SECURITY.md and every rule of ARCHITECTURE.md. */
export const guards: readonly Guard[] = [...threats, ...rules];
