import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { MemberInput, RegistrationReference } from '../contract/registration.ts';
import type { Log } from '../runtime/log.ts';
import { noTracing } from '../runtime/tracing.ts';
import type { Tracing } from '../runtime/tracing.ts';
import { currentCorrelation, withCorrelation } from '../runtime/correlation.ts';
import type { Correlation } from '../runtime/correlation.ts';

interface Parts {
  readonly log: Log;
  readonly tracing?: Pick<Tracing, 'inSpan'> | undefined;
}

/**
 * Puts the correlation of a registration on every log line of its activities, the SDK's included, and logs each activity that
 * succeeds, in a span. The SDK logs those that fail.
 */
export function correlateActivities({ log, tracing = noTracing }: Parts): ActivityInterceptorsFactory {
  return ({ info: { activityType: activity, attempt, workflowExecution } }) => {
    const attributes = {
      'temporal.activity.attempt': attempt,
      'temporal.workflow.run_id': workflowExecution?.runId,
    };
    const span = { name: activity, kind: 'CONSUMER', attributes } as const;
    let correlation: Correlation = {};
    return {
      inbound: {
        execute: (input, next) =>
          withCorrelation(correlationOf(input.args[0]), async () => {
            correlation = currentCorrelation();
            const begun = performance.now();
            const result = await tracing.inSpan(span, () => next(input));
            const milliseconds = Math.round(performance.now() - begun);
            log.info({ activity, attempt, milliseconds }, 'activity');
            return result;
          }),
      },
      outbound: {
        getLogAttributes: (input, next) => ({ ...next(input), ...correlation }),
      },
    };
  };
}

/** An argument that cannot be read has no correlation; it is refused later. */
function correlationOf(argument: unknown): Correlation {
  const { registrationNumber, correlationId } = (argument ?? {}) as Partial<
    RegistrationReference & MemberInput
  >;
  return { registrationNumber, correlationId };
}
