import type { Command } from '../../command-line/command-line.ts';
import type { KmError } from '../errors.ts';
import type { CallOptions } from '../km-client.ts';
import type { Connection } from './connect.ts';
import type { options, OptionValues } from './options.ts';
import type { Terminal } from './terminal.ts';

/** What a command works with. */
export interface KmContext extends Connection {
  /** How a command for the same project is typed, such as `km status --number …`. */
  readonly callOf: (command: string) => string;
  readonly terminal: Terminal;
  /** Resolves when the command is to end: on Ctrl-C or SIGTERM. */
  readonly untilStopped: () => Promise<void>;
}

/** One command. */
export interface KmCommand extends Command<typeof options> {
  /** @returns the exit code */
  run(values: OptionValues, context: KmContext): Promise<number>;
}

export const succeeded = 0;
export const failed = 1;

/** The key of an earlier call whose answer was lost, so that this call has no second effect. */
export function keyOf(values: OptionValues): CallOptions {
  return { idempotencyKey: values['idempotency-key'] };
}

/** An error as `--json` shows it. */
export function errorData({
  code,
  text,
  retryable,
  correlationId,
  idempotencyKey,
  payload,
}: KmError): object {
  return { code, text, retryable, correlationId, idempotencyKey, ...payload };
}
