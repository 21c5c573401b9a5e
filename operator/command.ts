import type { Client } from '@temporalio/client';
import type { Command } from '../command-line/command-line.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import type { Database } from '../database/database.ts';
import type { Stores } from '../database/stores.ts';
import type { NotificationSender } from '../notifications/notification-sender.ts';
import type { PaymentGateway } from '../payment-gateway/payment-gateway.ts';
import type { CommitParts } from '../runs/after-commit.ts';
import type { options, OptionValues } from './options.ts';

/** The dependencies of a command that needs no database. */
export interface TemporalContext {
  readonly temporal: Client;
  /** Writes a line of the result: text or JSON. */
  readonly print: (line: string) => void;
  /** Writes a line about the progress of long work. */
  readonly reportProgress: (line: string) => void;
}

/** What every other command works with. */
export interface CommandContext extends TemporalContext, CommitParts {
  readonly database: Database;
  readonly stores: Stores;
  /** For the commands that ask the payment gateway; reads its settings. */
  readonly openPaymentGateway: () => PaymentGateway;
  /** For the test notification. */
  readonly notificationSender: NotificationSender;
  /** The policy of the deployment. */
  readonly policy: RegistrationPolicy;
}

/**
 * One command. `read` checks the options before anything is opened, and throws a UsageError for an invalid one. The
 * function it returns carries the command out, and throws a Refused where that is impossible.
 */
export type OperatorCommand = Command<typeof options> &
  (
    | {
        readonly needsDatabase: false;
        read(values: OptionValues): (context: TemporalContext) => Promise<void>;
      }
    | { readonly needsDatabase: true; read(values: OptionValues): (context: CommandContext) => Promise<void> }
  );
