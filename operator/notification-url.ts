import { UsageError } from '../command-line/command-line.ts';
import { readAspId } from './options.ts';
import type { OptionValues } from './options.ts';
import type { CommandContext } from './command.ts';
import { noSuchProject } from './project.ts';

/** Sets or removes the URL for a project's result notifications. */
export function notificationUrl(values: OptionValues) {
  const aspId = readAspId(values);
  const url = readUrl(values);

  return async ({ stores, print }: CommandContext): Promise<void> => {
    if (!(await stores.projects.setNotificationUrl(aspId, url))) throw noSuchProject(aspId);
    print(
      url === null
        ? `Results of ${aspId} are no longer delivered.`
        : `Results of ${aspId} are delivered to ${url} from now on.`,
    );
  };
}

function readUrl({ url, off }: OptionValues): string | null {
  if ((url === undefined) !== (off === true)) throw new UsageError('Give either --url or --off.');
  if (url === undefined) return null;
  if (URL.canParse(url) && new URL(url).protocol === 'https:') return url;
  throw new UsageError('--url must be a URL that begins with https://.');
}
