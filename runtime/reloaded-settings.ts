import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { readConfig } from './config.ts';
import type { Log } from './log.ts';

/** How often the files are read, in ms. */
const defaultInterval = 10_000;

/** The settings of a process, which are read at its start and whenever one of their files has changed. */
export interface SettingsSource<Settings> {
  /** @throws {ConfigurationError} with all problems at once */
  read(): Settings;
  /** The files that hold settings, certificates and keys. */
  readonly files: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Files with a setting, `NAME_FILE`, and those that Temporal’s variables name. */
const fileVariables = /_FILE$|^TEMPORAL_TLS_\w+_PATH$/;

/** The settings of an environment and of the files that it names. */
export function settingsSource<Schema extends z.ZodObject>(
  schema: Schema,
  environment: Environment,
): SettingsSource<z.output<Schema>> {
  const isOurs = (name: string) => name.startsWith('TEMPORAL_') || name.replace(/_FILE$/, '') in schema.shape;
  return {
    read: () => readConfig(schema, environment, (path) => readFileSync(path, 'utf8')),
    files: Object.keys(environment)
      .filter((name) => fileVariables.test(name) && isOurs(name))
      .map((name) => environment[name]!)
      .filter(Boolean),
  };
}

/**
 * Calls `reload` when the content of a file has changed, and again at every interval until it succeeds. Content, because
 * mounted secrets are replaced by links with any date. Call it before the settings are read.
 * @param interval how often the files are read, in ms
 * @returns a function that starts it, once there is something to reload. That one returns a function that stops it.
 */
export function watchSettings(files: readonly string[], interval = defaultInterval) {
  let inForce = digest(files);

  return (log: Log, reload: () => Promise<void>): (() => Promise<void>) => {
    const stopping = new AbortController();
    const watching = (async () => {
      while (files.length > 0 && !stopping.signal.aborted) {
        await delay(interval, undefined, { signal: stopping.signal }).catch(() => {});
        const found = digest(files);
        if (found === inForce || stopping.signal.aborted) continue;
        try {
          await reload();
          inForce = found;
          log.info('the settings in files have changed, and the new ones are in force');
        } catch (error) {
          log.error({ err: error }, 'the settings in files have changed, and the former ones stay in force');
        }
      }
    })();
    return async () => {
      stopping.abort();
      await watching;
    };
  };
}

/** Of a file that cannot be read, too: it may be about to be replaced. */
function digest(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    try {
      hash.update(readFileSync(file));
    } catch {
      hash.update('unreadable');
    }
    hash.update('\0');
  }
  return hash.digest('hex');
}
