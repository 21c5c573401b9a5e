import type { Model, Step } from './explore.ts';

/**
 * Which rows are born *assumed* after the database was restored: SENT but not sent, so that they are asked about first.
 * `UNTIL_ABSENT` is the protocol: each next row, until the first assumed one is ABSENT.
 */
export type AssumedRows = 'NONE' | 'ONE' | 'UNTIL_ABSENT';

interface State {
  /** The rows of the ledger, by attempt from 1. */
  readonly rows: readonly ('SENT' | 'NO_ANSWER' | 'ABSENT')[];
  /** What the backup holds of them; null: it was taken before there was one. */
  readonly backup: readonly ('SENT' | 'NO_ANSWER' | 'ABSENT')[] | null;
  readonly isRestored: boolean;
  /** How many assumed rows were born since, and whether one of them was ABSENT. */
  readonly assumed: number;
  readonly knowsTheRest: boolean;
  /** How often the phone rang for each attempt. */
  readonly rings: readonly number[];
}

/**
 * The ARS calls of one registration around a restore of the database. Each call rings and is not answered; the gateway
 * knows every call by its attempt, so asking finds what the database has forgotten.
 */
export function callsAfterRestore(assumedRows: AssumedRows, maxCalls = 4): Model<State> {
  return {
    initial: { rows: [], backup: null, isRestored: false, assumed: 0, knowsTheRest: false, rings: [] },
    *steps(state) {
      yield* backUpAndRestore(state);
      yield* claim(state);
      yield* ask(state);
    },
    violation: ({ rings }) => {
      const twice = rings.findIndex((count) => count > 1);
      return twice < 0 ? undefined : `the phone rang twice for attempt ${twice + 1}`;
    },
  };

  function* backUpAndRestore(state: State): Generator<Step<State>> {
    if (state.isRestored) return;
    if (!state.backup) yield { name: 'back up', state: { ...state, backup: state.rows } };
    else yield { name: 'restore', state: { ...state, rows: state.backup, isRestored: true } };
  }

  function* claim(state: State): Generator<Step<State>> {
    const { rows, rings, assumed } = state;
    if (rows.length >= maxCalls || rows.at(-1) === 'SENT') return;
    const attempt = rows.length;
    const claimed = { ...state, rows: [...rows, 'SENT' as const] };
    if (isAssumed(state)) {
      yield { name: `assume call ${attempt + 1}`, state: { ...claimed, assumed: assumed + 1 } };
    } else {
      const ringing = Array.from(
        { length: Math.max(rings.length, attempt + 1) },
        (_, index) => (rings[index] ?? 0) + (index === attempt ? 1 : 0),
      );
      yield { name: `place call ${attempt + 1}`, state: { ...claimed, rings: ringing } };
    }
  }

  function isAssumed({ isRestored, assumed, knowsTheRest }: State): boolean {
    if (!isRestored || assumedRows === 'NONE') return false;
    return assumedRows === 'ONE' ? assumed === 0 : !knowsTheRest;
  }

  function* ask(state: State): Generator<Step<State>> {
    const { rows, rings, isRestored } = state;
    const open = rows.indexOf('SENT');
    if (open < 0) return;
    const rang = (rings[open] ?? 0) > 0;
    const answer = rang ? 'NO_ANSWER' : 'ABSENT';
    yield {
      name: `ask about call ${open + 1}: ${answer}`,
      state: {
        ...state,
        rows: rows.with(open, answer),
        knowsTheRest: state.knowsTheRest || (isRestored && !rang),
      },
    };
  }
}
