import { readAspId, UsageError } from './arguments.ts';
import type { Values } from './arguments.ts';
import type { Parts } from './command.ts';
import { noSuchProject } from './project.ts';

/** Sets where a project's results are delivered, or that they are not. */
export function notificationUrl(values: Values) {
  const aspId = readAspId(values);
  const url = readUrl(values);

  return async ({ stores, print }: Parts): Promise<void> => {
    if (!(await stores.projects.setNotificationUrl(aspId, url))) throw noSuchProject(aspId);
    print(
      url === null
        ? `Results of ${aspId} are no longer delivered.`
        : `Results of ${aspId} are delivered to ${url} from now on.`,
    );
  };
}

function readUrl({ url, off }: Values): string | null {
  if ((url === undefined) !== (off === true)) throw new UsageError('Give either --url or --off.');
  if (url === undefined) return null;
  if (URL.canParse(url) && new URL(url).protocol === 'https:') return url;
  throw new UsageError('--url must be a URL that begins with https://.');
}
