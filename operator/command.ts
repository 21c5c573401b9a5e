import type { Client } from '@temporalio/client';
import type { Stores } from '../database/stores.ts';
import type { Signature, Values } from './arguments.ts';

/** What a command works with that needs no database. */
export interface TemporalParts {
  readonly temporal: Client;
  /** Writes a line for people or, where a command gives JSON, for programs. */
  readonly print: (line: string) => void;
  /** Writes a line about how far long work has come. */
  readonly reportProgress: (line: string) => void;
}

/** What every other command works with. */
export interface Parts extends TemporalParts {
  readonly stores: Stores;
}

/**
 * One command. `read` takes the options, throwing UsageError where they cannot be meant, before anything is opened;
 * what it answers carries the command out, throwing Refused where it cannot be.
 */
export type Command = Signature & { readonly summary: string } & (
    | { readonly needsDatabase: false; read(values: Values): (parts: TemporalParts) => Promise<void> }
    | { readonly needsDatabase: true; read(values: Values): (parts: Parts) => Promise<void> }
  );
