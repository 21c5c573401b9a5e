import { sendTestNotification } from '../notifications/test-notification.ts';
import { operatorCommand } from '../runtime/operator-command.ts';
import type { CommandContext } from './command.ts';
import { readAspId } from './options.ts';
import type { OptionValues } from './options.ts';
import { noSuchProject } from './project.ts';
import { Refused } from './refused.ts';

/** Sends a test notification to a project's notification URL, once, and prints what the receiver answered. */
export function testNotification(values: OptionValues) {
  const aspId = readAspId(values);

  return async ({ act, stores, notificationSender, print }: CommandContext): Promise<void> => {
    const project = await stores.projects.find(aspId);
    if (!project) throw noSuchProject(aspId);
    await act({ aspId, details: { url: project.notificationUrl } }, async () => {});
    const outcome = await sendTestNotification(project, notificationSender);
    if (!outcome.isSent) throw new Refused(obstacles[outcome.obstacle](aspId));
    if (!outcome.isAcknowledged) {
      throw new Refused(
        `The receiver at ${project.notificationUrl} did not acknowledge it (${describe(outcome.answer)}). It must verify it and answer any 2xx with {"response":{"code":"000_000","description":"Success."}} within ten seconds; docs/receive-results.md has examples.`,
      );
    }
    print(`${project.notificationUrl} acknowledged a test notification (${describe(outcome.answer)}).`);
  };
}

const obstacles = {
  NOT_ACTIVE: (aspId: string) =>
    `Project ${aspId} is not active, so it gets no notifications. Activate it first: ${operatorCommand(`project state --asp ${aspId} --state ACTIVE`)}`,
  NO_URL: (aspId: string) =>
    `Project ${aspId} has no notification URL. Set one first: ${operatorCommand(`notification-url --asp ${aspId} --url https://…`)}`,
  NO_ACTIVE_KEYS: (aspId: string) =>
    `Project ${aspId} has no active keys to sign and encrypt with. Issue a set: ${operatorCommand(`project renew-keys --asp ${aspId}`)}`,
};

function describe(answer: number | string): string {
  return typeof answer === 'number' ? `HTTP ${answer}` : answer;
}
