import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { memberWorkflowId, taskQueue } from '../../contract/registration.ts';
import type { MemberInput, OperationResult, workflowTypes } from '../../contract/registration.ts';
import type { RegistrationStatus } from '../../wire/registration-status.ts';
import type { ResultCode } from '../../wire/result-codes.ts';
import { searchAttributes } from '../../contract/search-attributes.ts';
import { requireReadable } from '../../contract/unreadable-payload.ts';
import type { Member } from '../../database/members.ts';
import type { Stores } from '../../database/stores.ts';
import type { ApiParts } from '../parts.ts';
import type { StartedRegistration } from './latest-registrations.ts';
import { Refusal } from '../http/refusal.ts';
import { codes } from '../../wire/result-codes.ts';

/** How long Temporal may take to accept a start, or to describe a run before it, in ms. */
const startTimeout = 5_000;
/** How long a run may take to close after its registration has ended, in ms. */
const closingTimeout = 3_000;
/** How long a client waits for an operation that is documented as synchronous, in ms. */
const resultTimeout = 8_000;

type WorkflowType = (typeof workflowTypes)[keyof typeof workflowTypes];
type Parts = Pick<ApiParts, 'stores' | 'temporal'>;
type RunOptions = Pick<WorkflowStartOptions, 'args' | 'staticSummary'> & {
  readonly typedSearchAttributes?: readonly { key: typeof searchAttributes.aspId; value: string }[];
};

/** Finds a member of the service provider. Refuses with `001_006` when there is none with this ID. */
export async function requireMember(stores: Stores, aspId: string, userId: string): Promise<Member> {
  const member = await stores.members.find(aspId, userId);
  if (!member) throw new Refusal(codes.MEMBER_NOT_FOUND);
  return member;
}

/**
 * Starts a run with the member's workflow ID, which allows one run at a time. If Temporal refuses it although the
 * registration of the running one has ended, that run is only closing: waits for that, then tries once more. Throws when
 * Temporal does not respond.
 * @returns `runningOperation`: what a client needs to continue with the running operation; absent if the run was started
 */
export async function startMemberRun(
  { stores, temporal }: Parts,
  member: Member,
  workflowType: WorkflowType,
  options: RunOptions,
): Promise<{ readonly runningOperation?: Partial<StartedRegistration> }> {
  for (let isLastTry = false; ; isLastTry = true) {
    try {
      await startRun(temporal, member, workflowType, options);
      return {};
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const run = await describeMemberRun(temporal, member.userId, startTimeout);
      const { registrationNumber: bankAccRegNo } = run;
      if (bankAccRegNo === undefined) return { runningOperation: {} };
      const { arsCodeId, details, endedAt } = await stores.registrations.open(bankAccRegNo);
      // The first response had the code if it was issued for this registration, and it may have been lost.
      const code = arsCodeId === null ? { authNumber: details.authNumber } : {};
      if (isLastTry || !endedAt) return { runningOperation: { bankAccRegNo, ...code } };
      await waitUntilClosed(temporal, member.userId);
    }
  }
}

function startRun(
  temporal: Client,
  { userId, aspId }: Member,
  workflowType: WorkflowType,
  { typedSearchAttributes = [], ...options }: RunOptions,
) {
  return temporal.withDeadline(Date.now() + startTimeout, () =>
    temporal.workflow.start(workflowType, {
      ...options,
      workflowId: memberWorkflowId(userId),
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      taskQueue,
      typedSearchAttributes: [{ key: searchAttributes.aspId, value: aspId }, ...typedSearchAttributes],
    }),
  );
}

/**
 * Runs an operation on the member's account and waits for its end. Refuses with the code it ended with, or with
 * `002_013` while another operation of the member is running. Throws when it takes too long; the run then continues.
 */
export async function runMemberOperation(
  parts: Parts,
  member: Member,
  workflowType: WorkflowType,
  staticSummary: string,
): Promise<void> {
  const input: MemberInput = { userId: member.userId };
  const options = { args: [input], staticSummary };
  const { runningOperation } = await startMemberRun(parts, member, workflowType, options);
  if (runningOperation) throw new Refusal(codes.OPERATION_IN_PROGRESS, { payload: { ...runningOperation } });
  const run = parts.temporal.workflow.getHandle(memberWorkflowId(member.userId));
  const result = parts.temporal.withDeadline(Date.now() + resultTimeout, () => run.result());
  const { resultCode } = requireReadable((await result) as OperationResult);
  if (resultCode !== codes.SUCCESS) throw new Refusal(resultCode);
}

/**
 * Describes the member's latest run, which needs no worker. Throws `WorkflowNotFoundError` if there is none.
 * @param timeout in ms
 */
export async function describeMemberRun(temporal: Client, userId: string, timeout: number) {
  const handle = temporal.workflow.getHandle(memberWorkflowId(userId));
  const description = await temporal.withDeadline(Date.now() + timeout, () => handle.describe());
  const { runId, typedSearchAttributes: attributes } = description;
  return {
    runId,
    registrationNumber: attributes.get(searchAttributes.registrationNumber),
    status: attributes.get(searchAttributes.status) as RegistrationStatus | undefined,
    resultCode: attributes.get(searchAttributes.resultCode) as ResultCode | undefined,
  };
}

async function waitUntilClosed(temporal: Client, userId: string): Promise<void> {
  const run = temporal.workflow.getHandle(memberWorkflowId(userId));
  await temporal
    .withDeadline(Date.now() + closingTimeout, () => run.result())
    // Neither its result nor a timeout matters: the next start decides.
    .catch(() => undefined);
}
