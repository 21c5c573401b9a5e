import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { HistoryAndWorkflowId } from '@temporalio/client';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import packageJson from '../../package.json' with { type: 'json' };
import type { Path } from './paths.ts';

const directory = new URL('./histories/', import.meta.url);

/** Encrypts the recorded histories. A key for tests only: it is public and protects nothing. */
export const recordingKeys = 'test:B5aDSud4rVSV71ADH2cw0Dj53yUGbiwM2cZXMrFUptE=';

/** The name of the history that the version in `package.json` has of a path: `1.0.0/registered`. */
export function historyName(path: Path): string {
  return `${packageJson.version}/${path}`;
}

/** The names of all recorded histories of all versions. */
export function historyNames(): string[] {
  return namesOf('.json');
}

/** The names of all command snapshots. */
export function snapshotNames(): string[] {
  return namesOf('.commands.txt');
}

/** The file in which the commands of a history are kept. */
export function snapshotFile(name: string): string {
  return fileURLToPath(new URL(`${name}.commands.txt`, directory));
}

/** Saves the history of a path. It replaces an earlier recording of the same version. */
export function saveHistory(path: Path, history: Parameters<typeof historyToJSON>[0]): void {
  const withoutMachine = historyToJSON(history).replaceAll(`@${hostname()}`, '@recorder');
  writeFileSync(historyFile(historyName(path)), `${withoutMachine}\n`);
}

/** A recorded history. */
export interface RecordedHistory extends HistoryAndWorkflowId {
  /** When its run started, in Unix ms. */
  readonly startedAt: number;
}

/** Reads a recorded history. `alter` changes its JSON text first. */
export function loadHistory(name: string, alter = (text: string) => text): RecordedHistory {
  const json = JSON.parse(alter(readFileSync(historyFile(name), 'utf8'))) as {
    readonly events: readonly [
      { eventTime: string; workflowExecutionStartedEventAttributes: { workflowId: string } },
    ];
  };
  const [{ eventTime, workflowExecutionStartedEventAttributes: start }] = json.events;
  return { workflowId: start.workflowId, history: historyFromJSON(json), startedAt: Date.parse(eventTime) };
}

function historyFile(name: string): URL {
  return new URL(`${name}.json`, directory);
}

function namesOf(extension: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .map((file) => file.slice(0, -extension.length))
    .toSorted();
}
