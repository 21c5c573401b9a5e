import { findRunningSandbox } from '../command-line/running-sandbox.ts';
import { meansSandbox, runInSandbox } from './run-in-sandbox.ts';
import { runOperator } from './run-operator.ts';

const words = process.argv.slice(2);
const sandbox = meansSandbox(process.env) ? await findRunningSandbox(process.env) : undefined;
process.exitCode = sandbox ? await runInSandbox(words, sandbox) : await runOperator(words, process.env);
