import { UsageError } from '../command-line/command-line.ts';
import { minRetentionDays, setUpNamespace } from '../runtime/temporal-namespace.ts';
import { askTemporal } from './ask-temporal.ts';
import type { TemporalContext } from './command.ts';
import type { OptionValues } from './options.ts';

/** Creates what the service needs in Temporal: the namespace of TEMPORAL_NAMESPACE and its search attributes. */
export function setUp(values: OptionValues) {
  const retentionDays = Number(values['retention-days'] ?? 30);
  if (!Number.isInteger(retentionDays) || retentionDays < minRetentionDays) {
    throw new UsageError(`--retention-days must be ${minRetentionDays} or more.`);
  }
  return async ({ temporal, print }: TemporalContext): Promise<void> => {
    const { namespace } = temporal.options;
    await askTemporal(temporal, () => setUpNamespace(temporal.connection, namespace, retentionDays));
    print(`The namespace ${namespace} has all that the service needs.`);
  };
}
