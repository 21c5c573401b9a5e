import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { memberWorkflowId } from '../../contract/registration.ts';
import { registrationStateQuery } from '../../contract/registration-messages.ts';
import type { RegistrationRecord } from '../../database/registrations.ts';
import type { RegistrationStatus } from '../../wire/registration-status.ts';
import type { ResultCode } from '../../wire/result-codes.ts';
import type { ApiParts } from '../parts.ts';
import { describeMemberRun } from './member-runs.ts';

/** How long the status query may take, in ms. Without a worker it would wait for one. */
const queryTimeout = 400;
/** How long Temporal may take to describe a run, in ms. */
const describeTimeout = 2_000;

/** The status of a registration and, once it has ended, its result code. */
export interface CurrentStatus {
  readonly status: RegistrationStatus;
  readonly resultCode: ResultCode | null;
}

/**
 * Reads the status of a registration: from its row once it has ended, otherwise from its run, otherwise from Temporal's
 * search attributes. ARS_AUTH_DONE is persisted before it is returned, so a later answer never reports an earlier
 * status. Throws when Temporal does not respond, because the row may be older than the run.
 */
export async function readStatus(
  { stores, temporal }: Pick<ApiParts, 'stores' | 'temporal'>,
  record: RegistrationRecord,
): Promise<CurrentStatus> {
  if (record.endedAt) return record;
  const current =
    (await queryRun(temporal, record).catch(() => undefined)) ?? (await describeRun(temporal, record));
  if (current?.status === 'ARS_AUTH_DONE' && record.status !== 'ARS_AUTH_DONE') {
    await stores.registrations.markArsDone(record.registrationNumber);
  }
  if (current) return current;
  // The run has ended, and the member may have started another one, since the row was read.
  return (await stores.registrations.find(record.aspId, record.registrationNumber)) ?? record;
}

async function queryRun(temporal: Client, record: RegistrationRecord): Promise<CurrentStatus | undefined> {
  const handle = temporal.workflow.getHandle(memberWorkflowId(record.userId));
  const state = await temporal.withDeadline(Date.now() + queryTimeout, () =>
    handle.query(registrationStateQuery),
  );
  return state.registrationNumber === record.registrationNumber ? state : undefined;
}

async function describeRun(temporal: Client, record: RegistrationRecord): Promise<CurrentStatus | undefined> {
  const run = await describeMemberRun(temporal, record.userId, describeTimeout).catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  });
  if (run?.registrationNumber !== record.registrationNumber) return undefined;
  return { status: run.status ?? record.status, resultCode: run.resultCode ?? null };
}
