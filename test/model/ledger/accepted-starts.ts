import type { Model, Step } from './explore.ts';

/** What varies between the protocol and the designs that break. */
export interface StartDesign {
  /** A start whose answer is unknown withdraws the number only if no run has begun it. */
  readonly withdrawsOnlyOrphans: boolean;
  /** A parallel copy of a request has its number begun before it hands it out. */
  readonly copiesBeginFirst: boolean;
  /** "Already started" by a run of the same number counts as success. */
  readonly ownRunIsSuccess: boolean;
}

export const startProtocol: StartDesign = {
  withdrawsOnlyOrphans: true,
  copiesBeginFirst: true,
  ownRunIsSuccess: true,
};

interface Registration {
  readonly isBegun: boolean;
  readonly isWithdrawn: boolean;
  /** Whether its run has claimed an effect. */
  readonly hasEffect: boolean;
}

/** One copy of the request at the API. `number`: an index into the registrations. */
interface Copy {
  readonly at: 'ARRIVED' | 'STARTING' | 'STARTED' | 'UNKNOWN' | 'REFUSED' | 'OK' | '503' | '002_013' | 'DEAD';
  readonly number: number | null;
}

interface State {
  readonly registrations: readonly Registration[];
  /** The registration that holds the request's idempotency key. */
  readonly key: number | null;
  /** The number whose run Temporal has under the member's ID. */
  readonly run: number | null;
  /** Starts that Temporal will execute although their sender has given up waiting. */
  readonly lateStarts: readonly number[];
  readonly copies: readonly Copy[];
}

/**
 * Two parallel copies of one register request, the runs they start, and the sweep. Starts are lost, late, or executed
 * without an answer; API processes die at any step.
 */
export function acceptedStarts(design: StartDesign, maxRegistrations = 2): Model<State> {
  const arrived: Copy = { at: 'ARRIVED', number: null };
  return {
    initial: { registrations: [], key: null, run: null, lateStarts: [], copies: [arrived, arrived] },
    *steps(state) {
      for (const index of state.copies.keys()) yield* serve(state, index);
      yield* execute(state);
      yield* runClaims(state);
      yield* sweep(state);
    },
    violation({ registrations, copies }) {
      for (const { at, number } of copies) {
        if (at === 'OK' && registrations[number!]!.isWithdrawn) return 'a number handed out was withdrawn';
        if (at === '002_013') return 'the request was refused by its own run';
      }
      const undone = registrations.some(({ isWithdrawn, hasEffect }) => isWithdrawn && hasEffect);
      return undone ? 'something was done for a number that was withdrawn' : undefined;
    },
  };

  function* serve(state: State, index: number): Generator<Step<State>> {
    const copy = state.copies[index]!;
    const { at, number } = copy;
    const name = (text: string) => `copy ${index + 1}: ${text}`;
    const moved = (change: Partial<Copy>, rest: Partial<State> = {}): State => ({
      ...state,
      ...rest,
      copies: state.copies.with(index, { ...copy, ...change }),
    });
    if (['OK', '503', '002_013', 'DEAD'].includes(at)) return;
    yield { name: name('its process dies'), state: moved({ at: 'DEAD' }) };

    if (at === 'ARRIVED') {
      const { registrations, key } = state;
      if (key === null) {
        if (registrations.length >= maxRegistrations) return;
        const added = { isBegun: false, isWithdrawn: false, hasEffect: false };
        const rest = { registrations: [...registrations, added], key: registrations.length };
        yield { name: name('writes the row'), state: moved({ at: 'STARTING', number: rest.key }, rest) };
      } else {
        const mayAnswer = !design.copiesBeginFirst || registrations[key]!.isBegun;
        yield {
          name: name(`finds the key, number ${key + 1}`),
          state: moved({ at: mayAnswer ? 'OK' : 'STARTING', number: key }),
        };
      }
    } else if (at === 'STARTING') {
      const executed = executeStart(state.run, number!);
      yield { name: name('starts the run'), state: moved({ at: executed.outcome }, { run: executed.run }) };
      yield { name: name('the answer is lost'), state: moved({ at: 'UNKNOWN' }, { run: executed.run }) };
      yield { name: name('the start is lost'), state: moved({ at: 'UNKNOWN' }) };
      const lateStarts = [...state.lateStarts, number!].toSorted((one, other) => one - other);
      yield { name: name('the start is late'), state: moved({ at: 'UNKNOWN' }, { lateStarts }) };
    } else if (at === 'STARTED') {
      const { isWithdrawn } = state.registrations[number!]!;
      const rest = isWithdrawn ? {} : changeNumber(state, number!, { isBegun: true });
      yield { name: name('sets begun and answers'), state: moved({ at: isWithdrawn ? '503' : 'OK' }, rest) };
    } else {
      const { isBegun } = state.registrations[number!]!;
      const isKept = design.withdrawsOnlyOrphans && isBegun;
      const answer = at === 'REFUSED' ? '002_013' : '503';
      yield isKept
        ? { name: name('finds it begun'), state: moved({ at: 'OK' }) }
        : { name: name('withdraws'), state: moved({ at: answer }, withdraw(state, number!)) };
    }
  }

  function executeStart(run: number | null, number: number) {
    if (run === null) return { run: number, outcome: 'STARTED' } as const;
    const isSuccess = run === number && design.ownRunIsSuccess;
    return { run, outcome: isSuccess ? 'STARTED' : run === number ? 'REFUSED' : 'UNKNOWN' } as const;
  }

  function* execute(state: State): Generator<Step<State>> {
    for (const [index, number] of state.lateStarts.entries()) {
      const { run } = executeStart(state.run, number);
      yield {
        name: `a late start of number ${number + 1}`,
        state: { ...state, run, lateStarts: state.lateStarts.toSpliced(index, 1) },
      };
    }
  }

  /** The run looks at its row under the lock: a withdrawn number has ended. */
  function* runClaims(state: State): Generator<Step<State>> {
    const { run, registrations } = state;
    if (run === null) return;
    const { isWithdrawn, hasEffect } = registrations[run]!;
    if (isWithdrawn) yield { name: 'the run closes', state: { ...state, run: null } };
    else if (!hasEffect) {
      yield {
        name: 'the run claims',
        state: { ...state, ...changeNumber(state, run, { isBegun: true, hasEffect: true }) },
      };
    }
  }

  function* sweep(state: State): Generator<Step<State>> {
    for (const [number, { isBegun, isWithdrawn }] of state.registrations.entries()) {
      if (isWithdrawn) continue;
      if (!isBegun) {
        yield { name: `the sweep withdraws ${number + 1}`, state: { ...state, ...withdraw(state, number) } };
      } else if (state.run === null) {
        yield { name: `the sweep starts ${number + 1}`, state: { ...state, run: number } };
      }
    }
  }

  function changeNumber(
    state: State,
    number: number,
    by: Partial<Registration>,
  ): Pick<State, 'registrations'> {
    const changed = { ...state.registrations[number]!, ...by };
    return { registrations: state.registrations.with(number, changed) };
  }

  function withdraw(state: State, number: number): Partial<State> {
    const key = state.key === number ? null : state.key;
    return { ...changeNumber(state, number, { isWithdrawn: true }), key };
  }
}
