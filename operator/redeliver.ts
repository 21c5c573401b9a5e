import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { notificationWorkflowId, taskQueue, workflowTypes } from '../contract/registration.ts';
import type { DeliveryInput } from '../contract/registration.ts';
import { readRegistrationNumber } from './options.ts';
import type { OptionValues } from './options.ts';
import { askTemporal } from './ask-temporal.ts';
import type { CommandContext } from './command.ts';
import { Refused } from './refused.ts';
import { operatorCommand } from '../runtime/operator-command.ts';

/** Delivers the result of a registration again, with the same sequence number. */
export function redeliver(values: OptionValues) {
  const registrationNumber = readRegistrationNumber(values);
  const workflowId = notificationWorkflowId(registrationNumber);

  return async ({ stores, temporal, policy, print }: CommandContext): Promise<void> => {
    const notification = await stores.resultNotifications.find(registrationNumber);
    if (!notification) {
      throw new Refused(
        `Registration ${registrationNumber} has no notification: it has not ended, or its project had no notification URL when it did. The service provider can still inquire.`,
      );
    }
    const { aspId, notificationUrl, sequence } = notification;
    if (notificationUrl === undefined) {
      throw new Refused(
        `Project ${aspId} has no notification URL now. Set one first: ${operatorCommand(`notification-url --asp ${aspId} --url https://…`)}`,
      );
    }
    const input: DeliveryInput = { registrationNumber, policy: policy.resultNotification };
    try {
      await askTemporal(temporal, () =>
        temporal.workflow.start(workflowTypes.deliverNotification, {
          workflowId,
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          taskQueue,
          args: [input],
          staticSummary: 'Deliver the result of a registration again',
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      throw new Refused(
        `A delivery of the result of ${registrationNumber} is still running. Let it finish, or terminate the workflow ${workflowId} first.`,
        { cause: error },
      );
    }
    print(
      `The result of ${registrationNumber}, sequence ${sequence}, is delivered to ${aspId} again by the workflow ${workflowId}.`,
    );
  };
}
