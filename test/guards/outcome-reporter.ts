import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** The results of the tests of a run: what vitest's JSON reporter writes, and the errors' names. */
export interface Report {
  readonly tests: readonly {
    /** Absolute. */
    readonly file: string;
    readonly name: string;
    readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
    readonly errors: readonly { readonly name: string; readonly message: string }[];
  }[];
  /** Of files that could not be loaded, and of blocks that could not be set up. */
  readonly otherErrors: readonly string[];
}

/** Writes a {@link Report} to the file that GUARDS_REPORT names. */
export default class OutcomeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const report: Report = {
      tests: modules.flatMap((module) =>
        [...module.children.allTests()].map((test) => ({
          file: module.moduleId,
          name: test.fullName,
          state: test.result().state,
          errors: (test.result().errors ?? []).map(({ name = '', message }) => ({ name, message })),
        })),
      ),
      otherErrors: modules
        .flatMap((module) => [module, ...module.children.allSuites()])
        .flatMap((task) => task.errors().map(({ message }) => message)),
    };
    writeFileSync(process.env['GUARDS_REPORT']!, JSON.stringify(report));
  }
}
