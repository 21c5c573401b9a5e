import { UsageError } from '../command-line/command-line.ts';
import { readAspId } from './options.ts';
import type { OptionValues } from './options.ts';
import type { CommandContext } from './command.ts';
import { noSuchProject } from './project.ts';
import { findUrlObstacle } from '../notifications/notification-url.ts';
import type { UrlObstacle } from '../notifications/notification-url.ts';

/** Sets or removes the URL for a project's result notifications. */
export function notificationUrl(values: OptionValues) {
  const aspId = readAspId(values);
  const url = readUrl(values);

  return async ({ act, print }: CommandContext): Promise<void> => {
    await act({ aspId, details: { url } }, async (acting) => {
      if (!(await acting.projects.setNotificationUrl(aspId, url))) throw noSuchProject(aspId);
    });
    print(
      url === null
        ? `Results of ${aspId} are no longer delivered.`
        : `Results of ${aspId} are delivered to ${url} from now on.`,
    );
  };
}

const advice: Record<UrlObstacle, string> = {
  'not a URL': '--url must be a URL that begins with https://.',
  'not https': '--url must be a URL that begins with https://.',
  'user info': '--url must have no user name and no password: they would be stored in clear and never sent.',
  port: '--url must have the port 443 or 8443.',
  'no public address': '--url must lead to a public address.',
};

function readUrl({ url, off }: OptionValues): string | null {
  if ((url === undefined) !== (off === true)) throw new UsageError('Give either --url or --off.');
  if (url === undefined) return null;
  const obstacle = findUrlObstacle(url, { allowLoopback: false });
  if (!obstacle) return url;
  throw new UsageError(advice[obstacle]);
}
