import type { Client } from '@temporalio/client';
import type { Command } from '../command-line/command-line.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import type { Act, Actor, AuditEntry } from '../database/audit-trail.ts';
import type { Database } from '../database/database.ts';
import type { ActingStores, Stores } from '../database/stores.ts';
import type { NotificationSender } from '../notifications/notification-sender.ts';
import type { PaymentGateway } from '../payment-gateway/payment-gateway.ts';
import type { CommitParts } from '../runs/after-commit.ts';
import type { SecondPersonAct } from '../runtime/config.ts';
import type { options, OptionValues } from './options.ts';

/** What `setup` may look at, by the names of the environment variables. */
export interface SetupSettings {
  readonly PAYLOAD_KEYS: string;
  readonly DATABASE_URL?: string | undefined;
  readonly PG_BASE_URL?: string | undefined;
  readonly TEMPORAL_DEPLOYMENT_NAME?: string | undefined;
  readonly TEMPORAL_BUILD_ID?: string | undefined;
}

/** What every command works with. */
export interface PlainContext {
  /** Writes a line of the result: text or JSON. */
  readonly print: (line: string) => void;
  /** Writes a line about the progress of long work. */
  readonly reportProgress: (line: string) => void;
}

/** The dependencies of a command that needs Temporal, but no database. */
export interface TemporalContext extends PlainContext {
  readonly temporal: Client;
  /** Without them `setup` looks at Temporal only. */
  readonly settings?: SetupSettings | undefined;
}

/** What a command enters in the audit trail; its name and its reason are added. */
export type ActOfCommand = Pick<Act, 'aspId' | 'userId' | 'registrationNumber' | 'details'>;

/** What a command on the database is given. */
export interface OperatorParts extends CommitParts {
  readonly temporal: Client;
  readonly database: Database;
  readonly stores: Stores;
  /** For the commands that ask the payment gateway; reads its settings. */
  readonly openPaymentGateway: () => PaymentGateway;
  /** For the test notification. */
  readonly notificationSender: NotificationSender;
  /** The policy of the deployment. */
  readonly policy: RegistrationPolicy;
  /** Who gives the command. */
  readonly actor: Actor;
  readonly secondPersonFor: readonly SecondPersonAct[];
  /** The origin of the Temporal Web UI, for links; undefined: none are shown. */
  readonly webUi?: string | undefined;
}

/** What every other command works with. */
export interface CommandContext extends TemporalContext, OperatorParts {
  /**
   * Does something and enters it in the audit trail, in one transaction. If `work` throws, nothing was done.
   * @param describe what was done, by the result of `work`
   */
  readonly act: <Result>(
    describe: ActOfCommand | ((result: Result) => ActOfCommand | readonly ActOfCommand[]),
    work: (acting: ActingStores) => Promise<Result>,
  ) => Promise<Result>;
  /**
   * Makes sure that a second person has approved this command, if that is needed. Otherwise it enters the request.
   * @throws {AwaitsSecondPerson} when the request is entered
   */
  readonly requireSecondPerson: (act: SecondPersonAct, about: ActOfCommand) => Promise<void>;
  /** Carries out the command that another operator has requested. */
  readonly carryOut: (request: AuditEntry) => Promise<void>;
}

/** Nothing was done yet: the request is entered, and another operator must approve it. */
export class AwaitsSecondPerson extends Error {
  override readonly name = 'AwaitsSecondPerson';
}

/**
 * One command. `read` checks the options before anything is opened, and throws a UsageError for an invalid one. The
 * function it returns carries the command out, and throws a Refused where that is impossible.
 */
export type OperatorCommand = Command<typeof options> &
  (
    | {
        readonly needs: 'NOTHING';
        read(values: OptionValues): (context: PlainContext) => Promise<void>;
      }
    | {
        readonly needs: 'TEMPORAL';
        read(values: OptionValues): (context: TemporalContext) => Promise<void>;
      }
    | {
        readonly needs: 'DATABASE';
        /** Whether it does something, and so enters it in the audit trail. */
        readonly acts: boolean;
        read(values: OptionValues): (context: CommandContext) => Promise<void>;
      }
  );
