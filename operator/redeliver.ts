import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { productionPolicy } from '../contract/registration-policy.ts';
import { callbackWorkflowId, taskQueue, workflowTypes } from '../contract/registration.ts';
import type { DeliveryInput } from '../contract/registration.ts';
import { readRegistrationNumber } from './arguments.ts';
import type { Values } from './arguments.ts';
import { askTemporal } from './ask-temporal.ts';
import type { Parts } from './command.ts';
import { Refused } from './refused.ts';

/** Has the result of a registration delivered anew, under the sequence number it has. */
export function redeliver(values: Values) {
  const registrationNumber = readRegistrationNumber(values);
  const workflowId = callbackWorkflowId(registrationNumber);

  return async ({ stores, temporal, print }: Parts): Promise<void> => {
    const callback = await stores.resultCallbacks.find(registrationNumber);
    if (!callback) {
      throw new Refused(
        `Registration ${registrationNumber} has no callback: it has not ended, or its project had no callback URL when it did. The service provider can still inquire.`,
      );
    }
    const { aspId, callbackUrl, sequence } = callback;
    if (callbackUrl === undefined) {
      throw new Refused(
        `Project ${aspId} has no callback URL now. Set one first: npm run operator -- callback-url --asp ${aspId} --url https://…`,
      );
    }
    const input: DeliveryInput = { registrationNumber, policy: productionPolicy.resultCallback };
    try {
      await askTemporal(temporal, () =>
        temporal.workflow.start(workflowTypes.deliverCallback, {
          workflowId,
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          taskQueue,
          args: [input],
          staticSummary: 'Tell the service provider again how a registration ended',
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      throw new Refused(
        `A delivery of the result of ${registrationNumber} is still running. Let it go on, or terminate the workflow ${workflowId} first.`,
        { cause: error },
      );
    }
    print(
      `The result of ${registrationNumber}, sequence ${sequence}, is delivered to ${aspId} again by the workflow ${workflowId}.`,
    );
  };
}
