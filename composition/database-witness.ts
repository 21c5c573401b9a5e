import { ScheduleNotFoundError } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { taskQueue } from '../contract/registration.ts';
import type { DatabaseMark } from '../database/incarnations.ts';
import { requirePayloadKey } from '../runtime/required-payload-key.ts';

/** How long Temporal may take to answer, in ms. */
const answerTimeout = 2_000;

const scheduleId = 'database-mark';

/** Remembers outside the database how far it has come, for processes that start after a restore. */
export interface DatabaseWitness {
  /**
   * Undefined when nothing is remembered. Throws when the witness does not answer.
   * @throws {ConfigurationError} when the key is missing with which the mark is encrypted
   */
  read(): Promise<DatabaseMark | undefined>;
  /** Throws when the witness does not answer. */
  write(mark: DatabaseMark): Promise<void>;
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

function definitionOf(mark: DatabaseMark) {
  return {
    spec: {},
    action: { type: 'startWorkflow', workflowType: scheduleId, taskQueue, args: [mark] },
    state: { paused: true, note: 'Holds how far the database has come. It starts nothing.' },
  } satisfies Omit<ScheduleOptions, 'scheduleId'>;
}

/** Undefined for what is not encrypted with our keys: the codec marks it. */
function toMark(value: unknown): DatabaseMark | undefined {
  const mark = value as Partial<DatabaseMark> | undefined;
  return mark?.bornAt !== undefined && mark.begunAt !== undefined && mark.position !== undefined
    ? { bornAt: mark.bornAt, begunAt: mark.begunAt, position: mark.position }
    : undefined;
}
