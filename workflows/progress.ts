import { setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import type {
  RegistrationInput,
  RegistrationOutcome,
  RegistrationState,
  RegistrationStep,
} from '../contract/registration.ts';
import type { RegistrationStatus } from '../wire/registration-status.ts';
import { registrationStateQuery, registrationTimelineQuery } from '../contract/registration-messages.ts';
import type { ResultCode } from '../wire/result-codes.ts';
import { timelineLabels } from '../wire/timeline.ts';
import type { TimelineEntry, TimelineStep } from '../wire/timeline.ts';
import { searchAttributes } from '../contract/search-attributes.ts';

/** What a run shows: to queries, to operators in the Web UI, and in search attributes. */
export interface Progress {
  readonly step: () => RegistrationStep;
  /** Enters a step. Costs one history event and no task, because the step's first command follows in the same task. */
  moveTo(step: RegistrationStep, waitsFor: string, status?: RegistrationStatus): void;
  /** Shows operators what the step waits for; adds nothing to the history. `until` is in Unix ms. */
  waitFor(waitsFor: string, until?: number): void;
  /** Adds an entry to the timeline, nothing to the history. `attempt` counts from 1, `until` is in Unix ms. */
  record(step: TimelineStep, outcome: string, attempt?: number, until?: number): void;
  timeline(): readonly TimelineEntry[];
  /** Enters the last step. @returns the run's result */
  end(status: RegistrationStatus, resultCode: ResultCode): RegistrationOutcome;
}

const titles: Record<RegistrationStep, string> = {
  ACCOUNT_HOLDER_CHECK: 'Real-name check',
  ARS_CALL: 'ARS call',
  CONSENT_EVIDENCE: 'Evidence of consent',
  PAYMENT_GATEWAY_REGISTRATION: 'Registration at the payment gateway',
  REVIEW: 'Review: an operator must decide',
  DONE: 'Done',
};

/** A time of day for people, from Unix ms: `2026-11-22 21:36:29 UTC`. */
function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Shows the progress of a run from now on, and answers its queries. */
export function trackProgress(input: RegistrationInput): Progress {
  let state: RegistrationState = {
    registrationNumber: input.registrationNumber,
    status: 'ARS_AUTH_IN_PROGRESS',
    step: 'ACCOUNT_HOLDER_CHECK',
    resultCode: null,
  };
  const timeline: TimelineEntry[] = [];
  let waiting = 'the bank, through the payment gateway';

  timeline.push({ step: 'ACCEPTED', at: new Date().toISOString(), attempt: 1, outcome: 'ACCEPTED' });
  setHandler(registrationStateQuery, () => state, {
    description: 'The current status and step of the registration',
  });
  setHandler(registrationTimelineQuery, () => timeline, { description: 'The timeline of the registration' });
  show();

  function show(): void {
    setCurrentDetails(
      [
        `**${titles[state.step]}** (${state.status})`,
        '',
        `- Waits for: ${waiting}`,
        `- Last outcome: ${lastOutcome()}`,
      ].join('\n'),
    );
  }

  function lastOutcome(): string {
    const last = timeline.at(-1);
    return last ? `${timelineLabels[last.step].en} (${last.attempt}): ${last.outcome}` : 'none';
  }

  return {
    step: () => state.step,
    moveTo(step, waitsFor, status = state.status) {
      const statusChanged = status !== state.status;
      state = { ...state, step, status };
      upsertSearchAttributes([
        { key: searchAttributes.step, value: step },
        ...(statusChanged ? [{ key: searchAttributes.status, value: status }] : []),
      ]);
      waiting = waitsFor;
      show();
    },
    waitFor(waitsFor, until) {
      waiting = until === undefined ? waitsFor : `${waitsFor}, until ${time(until)}`;
      show();
    },
    record(step, outcome, attempt = 1, until) {
      const last = timeline.at(-1);
      // Hundreds of inquiries with the same answer become one entry: the latest.
      if (last?.step === step && last.outcome === outcome) timeline.pop();
      timeline.push({
        step,
        at: new Date().toISOString(),
        attempt,
        outcome,
        ...(until !== undefined && { until: new Date(until).toISOString() }),
      });
      show();
    },
    timeline: () => timeline,
    end(status, resultCode) {
      state = { ...state, step: 'DONE', status, resultCode };
      upsertSearchAttributes([
        { key: searchAttributes.step, value: state.step },
        { key: searchAttributes.status, value: status },
        { key: searchAttributes.resultCode, value: resultCode },
      ]);
      waiting = 'nothing';
      show();
      return { status, resultCode };
    },
  };
}
