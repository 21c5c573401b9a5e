import { ScheduleNotFoundError } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { taskQueue } from '../contract/registration.ts';
import { formatHead, parseHead } from '../database/audit-trail.ts';
import type { AuditTrailHead } from '../database/audit-trail.ts';
import type { DatabaseMark } from '../database/incarnations.ts';
import { requirePayloadKey } from '../runtime/required-payload-key.ts';

/** How long Temporal may take to answer, in ms. */
const answerTimeout = 2_000;

const scheduleId = 'database-mark';

/** How far the database has come, and the end of its audit trail. */
export interface WitnessedMark extends DatabaseMark {
  readonly auditTrailHead?: AuditTrailHead | undefined;
}

/** Remembers outside the database how far it has come, for processes that start after a restore. */
export interface DatabaseWitness {
  /**
   * Undefined when nothing is remembered. Throws when the witness does not answer.
   * @throws {ConfigurationError} when the key is missing with which the mark is encrypted
   */
  read(): Promise<WitnessedMark | undefined>;
  /** Throws when the witness does not answer. */
  write(mark: WitnessedMark): Promise<void>;
}

/**
 * A schedule in Temporal that never starts anything: an argument of its action holds the mark, encrypted like every
 * payload. Changing it adds nothing to any history.
 */
export function createDatabaseWitness(temporal: Client): DatabaseWitness {
  const schedule = temporal.schedule.getHandle(scheduleId);
  const ask = <Answer>(question: () => Promise<Answer>) =>
    temporal.withDeadline(Date.now() + answerTimeout, question);

  return {
    async read() {
      try {
        const { action } = await ask(() => schedule.describe());
        requirePayloadKey(action.args?.[0], scheduleId);
        return toMark(action.args?.[0]);
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) return undefined;
        throw error;
      }
    },

    async write(mark) {
      try {
        await ask(() => schedule.update(() => definitionOf(mark)));
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
        await ask(() => temporal.schedule.create({ ...definitionOf(mark), scheduleId }));
      }
    },
  };
}

function definitionOf({ auditTrailHead, ...position }: WitnessedMark) {
  const mark = { ...position, ...(auditTrailHead && { auditTrailHead: formatHead(auditTrailHead) }) };
  return {
    spec: {},
    action: { type: 'startWorkflow', workflowType: scheduleId, taskQueue, args: [mark] },
    state: { paused: true, note: 'Holds how far the database has come. It starts nothing.' },
  } satisfies Omit<ScheduleOptions, 'scheduleId'>;
}

/** Undefined for what is not encrypted with our keys: the codec marks it. */
function toMark(value: unknown): WitnessedMark | undefined {
  const mark = value as Partial<DatabaseMark & { readonly auditTrailHead: string }> | undefined;
  if (mark?.bornAt === undefined || mark.begunAt === undefined || mark.position === undefined)
    return undefined;
  const { bornAt, begunAt, position, auditTrailHead = '' } = mark;
  return { bornAt, begunAt, position, auditTrailHead: parseHead(auditTrailHead) };
}
