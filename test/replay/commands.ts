import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { InjectedSinks } from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';

const { WorkflowCommand } = proto.coresdk.workflow_commands;

/** What `command-recorder.ts` reports at the end of each activation of a workflow. */
interface Activation {
  /** What the workflow asks Temporal to do, as protobuf objects. */
  readonly commands: readonly object[];
  /** What the Web UI shows now. */
  readonly currentDetails: string;
  /** What the queries answer now, by name. */
  readonly queries: Readonly<Record<string, unknown>>;
}

/** The sink through which workflows report. */
export interface CommandSinks extends Sinks {
  readonly commands: { record(activation: Activation): void };
}

/** Records what workflows command during a replay. */
export function recordCommands() {
  let activations: Activation[] = [];
  const sinks: InjectedSinks<CommandSinks> = {
    commands: {
      record: { fn: (_info, activation) => void activations.push(activation), callDuringReplay: true },
    },
  };
  return {
    sinks,
    /**
     * @param startedAt when the run started, in Unix ms
     * @returns all that the run replayed last has commanded, as text
     */
    take: (startedAt: number): string => {
      const taken = activations;
      activations = [];
      return normalize(describeActivations(taken), startedAt);
    },
  };
}

function describeActivations(activations: readonly Activation[]): string {
  let shown = '';
  const blocks = activations.flatMap(({ commands, currentDetails }) => {
    const hasChanged = currentDetails !== shown;
    shown = currentDetails;
    return [
      ...commands.map(describeCommand),
      ...(hasChanged ? [block('currentDetails', { text: currentDetails })] : []),
    ];
  });
  return [...blocks, block('queries at the end', activations.at(-1)?.queries ?? {})].join('\n');
}

function describeCommand(command: object): string {
  const { userMetadata, ...variant } = WorkflowCommand.toObject(WorkflowCommand.fromObject(command), {
    enums: String,
    longs: Number,
  });
  const [[kind, fields]] = Object.entries(variant) as [[string, object]];
  return block(kind, { ...fields, ...userMetadata });
}

/** A heading and one line for each field. */
function block(heading: string, fields: object): string {
  const lines = Object.entries(fields).map(([name, value]) => {
    const shown = readable(name, value);
    return shown === undefined ? '' : `  ${name}: ${JSON.stringify(shown, readable)}\n`;
  });
  return `${heading}\n${lines.join('')}`;
}

/** Payloads are shown as the values they hold, durations with their unit. */
function readable(name: string, value: unknown): unknown {
  if (name === 'callId') return '<call ID>';
  if (name === 'userId') return '<member ID>';
  if (typeof value !== 'object' || value === null) return value;
  if ('metadata' in value) return defaultPayloadConverter.fromPayload(value as Payload) ?? null;
  if ('seconds' in value || 'nanos' in value) return describeDuration(value as Duration);
  return value;
}

/** As protobuf has it; zeros are left out. */
interface Duration {
  readonly seconds?: number;
  readonly nanos?: number;
}

/** Policies use round numbers. What is not round contains jitter or the time of day, so it is given roughly. */
function describeDuration({ seconds = 0, nanos = 0 }: Duration): string {
  const milliseconds = seconds * 1_000 + nanos / 1_000_000;
  const isExact = milliseconds < 100 || milliseconds % 100 === 0;
  return isExact ? `${milliseconds} ms` : `about ${Number(milliseconds.toPrecision(2))} ms`;
}

/** Replaces what differs between two recordings of a path. */
function normalize(text: string, startedAt: number): string {
  return text
    .replaceAll(/"fake_replay_queue-\d+"/g, '"<own>"')
    .replaceAll(/\b\d{12}[0-9A-Z]{10}\b/g, numbered('registration number'))
    .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, numbered('run ID'))
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)/g, (time) => {
      const passed = Date.parse(time.replace(' UTC', 'Z').replace(' ', 'T')) - startedAt;
      return `<start + ${(passed / 1_000).toFixed(1)} s>`;
    });
}

/** Numbers what a pattern finds by its first appearance. */
function numbered(name: string): (found: string) => string {
  const seen: string[] = [];
  return (found) => {
    if (!seen.includes(found)) seen.push(found);
    return `<${name} ${seen.indexOf(found) + 1}>`;
  };
}
