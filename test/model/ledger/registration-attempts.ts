import type { Model, Step } from './explore.ts';

/**
 * What varies between the protocol and the designs that break. Each default is the protocol's.
 */
export interface RegistrationDesign {
  /** From when an attempt's settle time counts: from its `send_by`, or from the end of the activity that sent it. */
  readonly settlesFrom: 'SEND_BY' | 'ATTEMPT_END';
  /** Whether the gateway refuses a request after its `send_by`, by the window of its signature. */
  readonly isFenced: boolean;
  /** By which moment NOT_FOUND is judged: that of the question, or that of its answer. */
  readonly notFoundJudgedBy: 'QUESTION' | 'ANSWER';
  /** Whether the end as failed is refused while an attempt is open or done. */
  readonly isEndGuarded: boolean;
}

export const protocol: RegistrationDesign = {
  settlesFrom: 'SEND_BY',
  isFenced: true,
  notFoundJudgedBy: 'QUESTION',
  isEndGuarded: true,
};

/** A row of the ledger, kind REGISTRATION. Times in ticks. */
interface Row {
  readonly state: 'SENT' | 'ABSENT' | 'DONE';
  readonly sendBy: number;
  /** Null while nobody knows: the attempt has not ended, in the design that settles from there. */
  readonly settledAt: number | null;
}

/** A question to the gateway: on its way there, or its answer on its way back. */
interface Question {
  readonly putAt: number;
  readonly answer: 'REGISTERED' | 'NOT_FOUND' | null;
}

interface State {
  readonly now: number;
  readonly rows: readonly Row[];
  /** Requests that have left or that a frozen sender is about to send, by the `send_by` they are signed for. */
  readonly onTheWay: readonly number[];
  /** Requests the gateway has taken, by the time at which the registration is visible at the latest. */
  readonly taken: readonly number[];
  /** Registrations visible at the gateway. */
  readonly registrations: number;
  readonly questions: readonly Question[];
  readonly end: 'REGISTERED' | 'FAILED' | null;
}

/** A request is worth something for this many ticks; the gateway shows what it took within `settleTime` ticks. */
const sendLimit = 1;
const settleTime = 1;

/**
 * Registration attempts of one number. Messages are late or lost, senders freeze between their commit and their write
 * and crash at any moment, the gateway shows late what it took. A run and the one that replaces it ask side by side;
 * both claim under the row's lock, so claims are interchangeable.
 * @param bounds `ticks`: how long the clock runs; `attempts`: the most rows; `failures`: whether the number may end as
 *   failed, by a cancellation or a limit
 */
export function registrationAttempts(
  design: RegistrationDesign,
  bounds = { ticks: 7, attempts: 3, questions: 2, failures: true },
): Model<State> {
  return {
    initial: { now: 0, rows: [], onTheWay: [], taken: [], registrations: 0, questions: [], end: null },
    *steps(state) {
      yield* tick(state);
      yield* claim(state);
      yield* travel(state);
      yield* ask(state);
      yield* fail(state);
    },
    violation({ registrations, end }) {
      if (registrations > 1) return 'the number is registered twice';
      if (end === 'FAILED' && registrations > 0) return 'the number failed and is registered';
      return undefined;
    },
  };

  /** What the gateway took becomes visible before the clock passes its time. */
  function* tick(state: State): Generator<Step<State>> {
    if (state.now < bounds.ticks && state.taken.every((visibleBy) => visibleBy > state.now)) {
      yield { name: 'a tick', state: { ...state, now: state.now + 1 } };
    }
  }

  /** A row is committed, and its request will leave, sooner or later. */
  function* claim(state: State): Generator<Step<State>> {
    const { now, rows, onTheWay, end } = state;
    if (end || rows.length >= bounds.attempts || rows.some((row) => row.state !== 'ABSENT')) return;
    const sendBy = now + sendLimit;
    const settledAt = design.settlesFrom === 'SEND_BY' ? sendBy + settleTime : null;
    const row: Row = { state: 'SENT', sendBy, settledAt };
    yield {
      name: 'claim',
      state: { ...state, rows: [...rows, row], onTheWay: [...onTheWay, sendBy] },
    };
  }

  /** Requests arrive, get lost, and become registrations; an attempt ends without its answer. */
  function* travel(state: State): Generator<Step<State>> {
    const { now, rows, onTheWay, taken } = state;
    for (const [index, sendBy] of onTheWay.entries()) {
      const remaining = onTheWay.toSpliced(index, 1);
      yield { name: 'a request is lost', state: { ...state, onTheWay: remaining } };
      const isTaken = !design.isFenced || now <= sendBy;
      const takenNow = isTaken ? [...taken, now + settleTime] : taken;
      yield { name: 'a request arrives', state: { ...state, onTheWay: remaining, taken: takenNow } };
    }
    if (taken.length > 0) {
      const registrations = state.registrations + 1;
      yield { name: 'a registration shows', state: { ...state, taken: taken.slice(1), registrations } };
    }
    const open = rows.findIndex((row) => row.state === 'SENT' && row.settledAt === null);
    if (open >= 0) {
      const ended = rows.with(open, { ...rows[open]!, settledAt: now + settleTime });
      yield { name: 'the attempt ends without an answer', state: { ...state, rows: ended } };
    }
  }

  /** Questions are put, answered from what shows at the gateway, and their answers believed or not. */
  function* ask(state: State): Generator<Step<State>> {
    const { now, rows, questions, registrations } = state;
    const open = rows.findIndex((row) => row.state === 'SENT');
    if (open >= 0 && questions.length < bounds.questions) {
      const put: Question = { putAt: now, answer: null };
      yield { name: 'ask', state: { ...state, questions: [...questions, put] } };
    }
    for (const [index, question] of questions.entries()) {
      const others = questions.toSpliced(index, 1);
      yield { name: 'a question is lost', state: { ...state, questions: others } };
      if (question.answer === null) {
        const answer = registrations > 0 ? 'REGISTERED' : 'NOT_FOUND';
        const answered = questions.with(index, { ...question, answer });
        yield { name: `the gateway says ${answer}`, state: { ...state, questions: answered } };
      } else {
        yield {
          name: `${question.answer} is read`,
          state: { ...decide(state, question, open), questions: others },
        };
      }
    }
  }

  function decide(state: State, { putAt, answer }: Question, open: number): State {
    const { now, rows, end } = state;
    const row = rows[open];
    if (!row) return state;
    if (answer === 'REGISTERED') {
      return { ...state, rows: rows.with(open, { ...row, state: 'DONE' }), end: end ?? 'REGISTERED' };
    }
    const judgedAt = design.notFoundJudgedBy === 'QUESTION' ? putAt : now;
    if (row.settledAt === null || judgedAt <= row.settledAt) return state;
    return { ...state, rows: rows.with(open, { ...row, state: 'ABSENT' }) };
  }

  /** The end as failed: a cancellation, or a limit that is reached. */
  function* fail(state: State): Generator<Step<State>> {
    if (state.end || !bounds.failures) return;
    const isRefused = design.isEndGuarded && state.rows.some((row) => row.state !== 'ABSENT');
    if (!isRefused) yield { name: 'end as failed', state: { ...state, end: 'FAILED' } };
  }
}
