import { runOperator } from '../../operator/run-operator.ts';
import { chaosPolicy } from './policy.ts';

/** The operator's commands, which adopt lost registrations with the policy of the other processes. */
process.exitCode = await runOperator(process.argv.slice(2), process.env, chaosPolicy);
