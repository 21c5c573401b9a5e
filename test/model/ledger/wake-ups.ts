import type { Model, Step } from './explore.ts';

/** What the API does with a message of the gateway, in order. */
export type HandlerOrder = readonly ('COMMIT' | 'WAKE' | 'ACKNOWLEDGE')[];

/**
 * How the run notices a wake-up: it counts before it reads (the protocol), counts after it has read, or clears a flag
 * once it has read.
 */
export type RunOrder = 'COUNT_THEN_READ' | 'READ_THEN_COUNT' | 'READ_THEN_CLEAR_FLAG';

interface State {
  /** Deliveries that the gateway may still make: it repeats until one is acknowledged. */
  readonly deliveries: number;
  /** The next step of the handler under way; null: none is. */
  readonly handler: number | null;
  readonly isAcknowledged: boolean;
  readonly isCommitted: boolean;
  readonly wakes: number;
  readonly isFlagged: boolean;
  readonly run: {
    readonly at: 'READING' | 'READ' | 'WAITING' | 'DONE';
    readonly seen: number;
    readonly found: boolean;
  };
}

/**
 * One verdict on its way from the gateway through the database to the run. The handler's process dies at any step, but
 * the last delivery arrives. Timers are left out: they would hide a lost wake-up behind a long wait.
 */
export function wakeUps(handlerOrder: HandlerOrder, runOrder: RunOrder, deliveries = 3): Model<State> {
  return {
    initial: {
      deliveries,
      handler: null,
      isAcknowledged: false,
      isCommitted: false,
      wakes: 0,
      isFlagged: false,
      run: { at: 'READING', seen: 0, found: false },
    },
    *steps(state) {
      yield* deliver(state);
      yield* handle(state);
      yield* goOn(state);
    },
    violation({ isAcknowledged, isCommitted, run }, isFinal) {
      if (!isFinal) return undefined;
      if (isAcknowledged && !isCommitted) return 'the verdict is acknowledged and lost';
      return isCommitted && run.at !== 'DONE' ? 'the run sleeps on a verdict that is there' : undefined;
    },
  };

  function* deliver(state: State): Generator<Step<State>> {
    if (state.handler !== null || state.isAcknowledged || state.deliveries === 0) return;
    yield {
      name: 'the gateway delivers',
      state: { ...state, deliveries: state.deliveries - 1, handler: 0 },
    };
  }

  function* handle(state: State): Generator<Step<State>> {
    const { handler, deliveries: left } = state;
    if (handler === null) return;
    // Without an acknowledgement the gateway delivers again; the last delivery is served to its end.
    if (left > 0 || state.isAcknowledged) {
      yield { name: 'the handler dies', state: { ...state, handler: null } };
    }
    const step = handlerOrder[handler]!;
    const next = handler + 1 < handlerOrder.length ? handler + 1 : null;
    const done = {
      COMMIT: { isCommitted: true },
      WAKE: { wakes: state.wakes + 1, isFlagged: true },
      ACKNOWLEDGE: { isAcknowledged: true },
    }[step];
    yield { name: `the handler does ${step}`, state: { ...state, ...done, handler: next } };
  }

  function* goOn(state: State): Generator<Step<State>> {
    const { run, wakes, isFlagged, isCommitted } = state;
    const moved = (change: Partial<State['run']>, rest: Partial<State> = {}): State => ({
      ...state,
      ...rest,
      run: { ...run, ...change },
    });
    if (run.at === 'READING') {
      yield { name: 'the run’s read is served', state: moved({ at: 'READ', found: isCommitted }) };
    } else if (run.at === 'READ') {
      if (run.found) yield { name: 'the run ends', state: moved({ at: 'DONE' }) };
      else if (runOrder === 'COUNT_THEN_READ')
        yield { name: 'the run waits', state: moved({ at: 'WAITING' }) };
      else {
        yield { name: 'the run waits', state: moved({ at: 'WAITING', seen: wakes }, { isFlagged: false }) };
      }
    } else if (run.at === 'WAITING') {
      const isWoken = runOrder === 'READ_THEN_CLEAR_FLAG' ? isFlagged : wakes > run.seen;
      if (isWoken) yield { name: 'the run wakes', state: moved({ at: 'READING', seen: wakes }) };
    }
  }
}
