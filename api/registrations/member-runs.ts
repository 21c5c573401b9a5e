import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { memberWorkflowId, taskQueue } from '../../contract/registration.ts';
import type { MemberInput, OperationResult, workflowTypes } from '../../contract/registration.ts';
import type { RegistrationStatus } from '../../wire/registration-status.ts';
import type { ResultCode } from '../../wire/result-codes.ts';
import { searchAttributes } from '../../contract/search-attributes.ts';
import type { Member } from '../../database/members.ts';
import type { Stores } from '../../database/stores.ts';
import type { ApiParts } from '../context.ts';
import type { StartedRegistration } from './latest-registrations.ts';
import { Refusal } from '../http/refusal.ts';
import { codes } from '../../wire/result-codes.ts';

/** How long Temporal may take to accept a start, in ms. */
const startDeadline = 5_000;
/** How long a run may take to close once its registration has ended, in ms. */
const closingDeadline = 3_000;
/** How long a caller waits for an operation that is documented as synchronous, in ms. */
const resultDeadline = 8_000;

type WorkflowType = (typeof workflowTypes)[keyof typeof workflowTypes];
type Parts = Pick<ApiParts, 'stores' | 'temporal'>;
type RunOptions = Pick<WorkflowStartOptions, 'args' | 'staticSummary'> & {
  readonly typedSearchAttributes?: readonly { key: typeof searchAttributes.aspId; value: string }[];
};

/** The service provider's member. Refuses with `001_006` when there is none of this ID. */
export async function requireMember(stores: Stores, aspId: string, userId: string): Promise<Member> {
  const member = await stores.members.find(aspId, userId);
  if (!member) throw new Refusal(codes.MEMBER_NOT_FOUND);
  return member;
}

/**
 * Starts a run under the member's ID, where Temporal allows one at a time. A run that refuses it though its
 * registration has ended is only closing: that is waited for.
 * @returns `refusedBy`: what the caller needs to go on with the running operation; absent when the run was started.
 */
export async function startMemberRun(
  { stores, temporal }: Parts,
  { userId, aspId }: Member,
  workflowType: WorkflowType,
  { typedSearchAttributes = [], ...options }: RunOptions,
): Promise<{ readonly refusedBy?: Partial<StartedRegistration> }> {
  for (let isLastTry = false; ; isLastTry = true) {
    try {
      await temporal.withDeadline(Date.now() + startDeadline, () =>
        temporal.workflow.start(workflowType, {
          ...options,
          workflowId: memberWorkflowId(userId),
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          taskQueue,
          typedSearchAttributes: [{ key: searchAttributes.aspId, value: aspId }, ...typedSearchAttributes],
        }),
      );
      return {};
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const { registrationNumber: bankAccRegNo } = await describeMemberRun(temporal, userId, startDeadline);
      if (bankAccRegNo === undefined) return { refusedBy: {} };
      const { arsCodeId, details, endedAt } = await stores.registrations.open(bankAccRegNo);
      // The answer to the running one had carried its code if it was made for it, and may have got lost.
      const code = arsCodeId === null ? { authNumber: details.authNumber } : {};
      if (isLastTry || !endedAt) return { refusedBy: { bankAccRegNo, ...code } };
      await untilClosed(temporal, userId);
    }
  }
}

/**
 * Runs an operation on the member's account and waits for its end. Refuses with the code it ended with, or with
 * `002_013` while another one of the member runs. Throws when it takes too long; it then goes on all the same.
 */
export async function runMemberOperation(
  parts: Parts,
  member: Member,
  workflowType: WorkflowType,
  staticSummary: string,
): Promise<void> {
  const input: MemberInput = { userId: member.userId };
  const { refusedBy } = await startMemberRun(parts, member, workflowType, { args: [input], staticSummary });
  if (refusedBy) throw new Refusal(codes.OPERATION_IN_PROGRESS, { payload: { ...refusedBy } });
  const run = parts.temporal.workflow.getHandle(memberWorkflowId(member.userId));
  const result = parts.temporal.withDeadline(Date.now() + resultDeadline, () => run.result());
  const { resultCode } = (await result) as OperationResult;
  if (resultCode !== codes.SUCCESS) throw new Refusal(resultCode);
}

/** The member's latest run, as Temporal describes it without a worker. */
export async function describeMemberRun(temporal: Client, userId: string, deadline: number) {
  const handle = temporal.workflow.getHandle(memberWorkflowId(userId));
  const description = await temporal.withDeadline(Date.now() + deadline, () => handle.describe());
  const { runId, typedSearchAttributes: attributes } = description;
  return {
    runId,
    registrationNumber: attributes.get(searchAttributes.registrationNumber),
    status: attributes.get(searchAttributes.status) as RegistrationStatus | undefined,
    resultCode: attributes.get(searchAttributes.resultCode) as ResultCode | undefined,
  };
}

async function untilClosed(temporal: Client, userId: string): Promise<void> {
  const run = temporal.workflow.getHandle(memberWorkflowId(userId));
  await temporal
    .withDeadline(Date.now() + closingDeadline, () => run.result())
    // However it ended or however long it takes, the next start tells.
    .catch(() => undefined);
}
