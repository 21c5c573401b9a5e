import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { HistoryAndWorkflowId } from '@temporalio/client';
import packageJson from '../../package.json' with { type: 'json' };
import type { Path } from './paths.ts';

const directory = new URL('./histories/', import.meta.url);

/** Encrypts the recorded histories. A key for tests only: it is public and protects nothing. */
export const recordingKeys = 'test:B5aDSud4rVSV71ADH2cw0Dj53yUGbiwM2cZXMrFUptE=';

/** The file of a path under the version that is being worked on. */
export function historyFile(path: Path): string {
  return `${packageJson.version}-${path}.json`;
}

/** The names of all recorded histories, those of earlier versions included. */
export function historyFiles(): string[] {
  return readdirSync(directory).filter((file) => file.endsWith('.json'));
}

/** Keeps the history of a path, in place of an earlier recording of the same version. */
export function saveHistory(path: Path, history: Parameters<typeof historyToJSON>[0]): void {
  const withoutMachine = historyToJSON(history).replaceAll(`@${hostname()}`, '@recorder');
  writeFileSync(
    new URL(historyFile(path), directory),
    `${withoutMachine}
`,
  );
}

/** A recorded history with its workflow ID, as replay takes it. `alter` changes its JSON text first. */
export function loadHistory(file: string, alter = (text: string) => text): HistoryAndWorkflowId {
  const history = historyFromJSON(JSON.parse(alter(readFileSync(new URL(file, directory), 'utf8'))));
  const workflowId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId;
  if (!workflowId) throw new Error(`${file} does not begin with the start of a run.`);
  return { workflowId, history };
}
