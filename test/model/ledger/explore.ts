/** One thing that can happen in a state: its name, and the state after it. */
export interface Step<State> {
  readonly name: string;
  readonly state: State;
}

/** A protocol as a finite machine. States are plain JSON. */
export interface Model<State> {
  readonly initial: State;
  /** All that can happen next. None: the state is final. */
  steps(state: State): Iterable<Step<State>>;
  /** What is wrong with a state; undefined when all invariants hold. `isFinal`: nothing can happen any more. */
  violation(state: State, isFinal: boolean): string | undefined;
}

/** What an exploration found. `trace`: the shortest way to the violation. */
export type Exploration =
  | { readonly states: number; readonly violation: undefined }
  | { readonly states: number; readonly violation: string; readonly trace: readonly string[] };

/**
 * Visits every reachable state, breadth first, until one violates an invariant.
 * @throws {Error} beyond `maxStates`: a bound of the model is missing
 */
export function explore<State>(model: Model<State>, maxStates = 1_000_000): Exploration {
  const cameFrom = new Map<string, { readonly from: string; readonly step: string } | undefined>();
  let frontier: State[] = [model.initial];
  cameFrom.set(JSON.stringify(model.initial), undefined);

  while (frontier.length > 0) {
    const next: State[] = [];
    for (const state of frontier) {
      const key = JSON.stringify(state);
      const steps = [...model.steps(state)];
      const violation = model.violation(state, steps.length === 0);
      if (violation) return { states: cameFrom.size, violation, trace: traceTo(key) };
      for (const step of steps) {
        const stepKey = JSON.stringify(step.state);
        if (cameFrom.has(stepKey)) continue;
        cameFrom.set(stepKey, { from: key, step: step.name });
        next.push(step.state);
      }
    }
    if (cameFrom.size > maxStates) throw new Error(`More than ${maxStates} states.`);
    frontier = next;
  }
  return { states: cameFrom.size, violation: undefined };

  function traceTo(key: string): string[] {
    const trace: string[] = [];
    for (let at = cameFrom.get(key); at; at = cameFrom.get(at.from)) trace.unshift(at.step);
    return trace;
  }
}
