import {
  ApplicationFailure,
  CancellationScope,
  TemporalFailure,
  condition,
  continueAsNew,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { StepResult, Wait } from '../contract/activities.ts';
import type {
  RegistrationOutcome,
  RegistrationReference,
  RegistrationState,
  RegistrationStep,
} from '../contract/registration.ts';
import {
  registrationStateQuery,
  registrationTimelineQuery,
  wakeSignal,
} from '../contract/registration-messages.ts';
import { unreadableFailure } from '../contract/unreadable-payload.ts';
import { awaitReopening, cancelRegistration, readRegistration } from './activity-proxies.ts';
import type { StepActivity } from './activity-proxies.ts';
import { showRegistration } from './display.ts';

/**
 * After so many wake-ups a run continues as a new one. A registration has a handful of them; with thousands in one history,
 * which anybody who may write to Temporal can send, it could not be replayed (@temporalio/core-bridge 1.24.0). Temporal
 * should accept a few hundred signals per run at most.
 */
const maxWakeUps = 200;

type OpenStep = Exclude<RegistrationStep, 'DONE'>;

/** A run that follows a registration's row. */
export interface RegistrationRun {
  /**
   * Repeats `act` with the step that the row is in, until the registration has ended. A request to cancel the run
   * cancels the registration, unless the payment gateway may have registered the account.
   */
  untilEnded(act: (step: OpenStep) => Promise<void>): Promise<void>;
  /** Performs a step. @returns what the step waits for, if anything */
  perform(activity: StepActivity): Promise<Wait | undefined>;
  /** Waits. @returns whether the run was woken; false after the whole wait */
  wait(wait: Wait): Promise<boolean>;
  outcome(): RegistrationOutcome;
}

/** Follows a registration from now on: answers queries, listens for wake-ups and shows operators where it stands. */
export function followRegistration(registrationNumber: string): RegistrationRun {
  const reference: RegistrationReference = { registrationNumber };
  let registration: RegistrationState | null = {
    registrationNumber,
    status: 'ARS_AUTH_IN_PROGRESS',
    step: 'ACCOUNT_HOLDER_CHECK',
    resultCode: null,
    timeline: [],
  };
  let wakeUps = 0;
  let seenWakeUps = 0;

  setHandler(wakeSignal, () => void wakeUps++, { description: 'Something was committed: look at the row' });
  setHandler(registrationStateQuery, () => stateOf(registration), {
    description: 'Where the registration stands',
  });
  setHandler(registrationTimelineQuery, () => registration?.timeline ?? [], {
    description: 'What has happened so far',
  });
  showRegistration(registration, undefined);

  const hasEnded = () => registration === null || registration.step === 'DONE';
  const isWoken = () => wakeUps > seenWakeUps;
  const isFlooded = () => wakeUps >= maxWakeUps;

  async function perform({ locally, visibly }: StepActivity): Promise<Wait | undefined> {
    // Counted before the row is read: a wake-up that comes meanwhile is not lost.
    seenWakeUps = wakeUps;
    const done = locally && (await tryLocally(locally));
    if (locally && !done) {
      // The regular activity may take long: until it succeeds, operators see what the failed attempt has recorded.
      const look = await tryLocally(readRegistration.locally);
      if (look) show(look);
    }
    const result = done ?? (await performVisibly(visibly));
    show(result);
    return result.wait;
  }

  function show({ registration: read, wait }: StepResult): void {
    registration = read;
    showRegistration(registration, wait);
  }

  /** Undefined when the attempt failed. */
  function tryLocally(locally: (reference: RegistrationReference) => Promise<StepResult>) {
    return locally(reference).catch(onlyActivityFailures);
  }

  /**
   * Retries in a regular activity, where operators see it, until it succeeds or the row has left the step. It is not
   * cancelled then: a cancellation beside local activities does not replay (@temporalio/core-bridge 1.24.0), and an
   * activity of a step that is over changes nothing.
   */
  async function performVisibly(visibly: StepActivity['visibly']): Promise<StepResult> {
    const startedIn = registration?.step;
    let isDone = false;
    const result = visibly(reference).finally(() => (isDone = true));
    // Observed below; without this a failure during a look would count as unhandled.
    result.catch(() => {});
    for (;;) {
      await condition(() => isDone || isWoken());
      if (isDone) return await result.catch(lookInstead);
      seenWakeUps = wakeUps;
      const look = await tryLocally(readRegistration.locally);
      if (look && (look.registration?.step !== startedIn || isFlooded())) return look;
    }
  }

  /** For a result that cannot be read: the row has it, too. */
  async function lookInstead(error: unknown): Promise<StepResult> {
    if (!(error instanceof ApplicationFailure && error.type === unreadableFailure)) throw error;
    for (;;) {
      const look = await tryLocally(readRegistration.locally);
      if (look) return look;
      await sleep('1 second', { summary: 'Wait before the next look' });
    }
  }

  return {
    async untilEnded(act) {
      try {
        await takeSteps();
      } catch (error) {
        if (!isCancellation(error)) throw error;
        await CancellationScope.nonCancellable(async () => {
          await perform(cancelRegistration);
          await takeSteps();
        });
      }

      async function takeSteps(): Promise<void> {
        while (!hasEnded()) {
          await act(registration!.step as OpenStep);
          if ((workflowInfo().continueAsNewSuggested || isFlooded()) && !hasEnded())
            await continueAsNew(reference);
        }
      }
    },

    perform,

    async wait(wait) {
      if (wait.for === 'REOPENING') {
        show(await performVisibly(awaitReopening));
        return false;
      }
      // A timer that is not needed any more costs an event less than one that is cancelled.
      let isOver = false;
      const timer = sleep(wait.milliseconds, { summary: summaryOf(wait) }).then(() => (isOver = true));
      timer.catch(() => {});
      await condition(() => isOver || isWoken());
      return isWoken();
    },

    outcome: () => ({
      status: registration?.status ?? null,
      resultCode: registration?.resultCode ?? null,
    }),
  };
}

function stateOf(registration: RegistrationState | null) {
  if (!registration) return null;
  const { timeline: _timeline, ...state } = registration;
  return state;
}

function summaryOf(wait: Exclude<Wait, { for: 'REOPENING' }>): string {
  if (wait.for === 'CALLBACK') return 'Wait for the callback, else inquire';
  return wait.reason === 'CALL_AGAIN' ? 'Wait before the next call' : 'Wait for the calling hours';
}

/**
 * For `catch`: undefined for an activity that failed; rethrows cancellations and defects of the workflow itself. A local
 * activity's timeout arrives wrapped in an ActivityFailure when it happens and bare in a replay (@temporalio/core-bridge
 * 1.24.0 records it unwrapped), so any failure of Temporal counts.
 */
function onlyActivityFailures(error: unknown): undefined {
  if (error instanceof TemporalFailure && !isCancellation(error)) return undefined;
  throw error;
}
