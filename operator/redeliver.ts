import { notificationWorkflowId } from '../contract/registration.ts';
import { startFollowUp } from '../runs/follow-ups.ts';
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

  return async ({ act, stores, temporal, print }: CommandContext): Promise<void> => {
    const notification = await stores.resultNotifications.find(registrationNumber);
    if (!notification) {
      throw new Refused(
        `Registration ${registrationNumber} has no notification: it has not ended, or its project had no notification URL when it did. The service provider can still inquire.`,
      );
    }
    const { aspId, sequence } = notification;
    const project = await stores.projects.find(aspId);
    if (project?.notificationUrl === null) {
      throw new Refused(
        `Project ${aspId} has no notification URL now. Set one first: ${operatorCommand(`notification-url --asp ${aspId} --url https://…`)}`,
      );
    }
    await act({ aspId, registrationNumber }, (acting) =>
      acting.resultNotifications.requeue(registrationNumber),
    );
    const followUp = { kind: 'NOTIFICATION', registrationNumber } as const;
    await askTemporal(temporal, () => startFollowUp(temporal, followUp, 'TERMINATE_EXISTING'));
    print(
      `The result of ${registrationNumber}, sequence ${sequence}, is delivered to ${aspId} again by the workflow ${workflowId}.`,
    );
  };
}
