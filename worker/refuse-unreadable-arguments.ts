import type { ActivityInterceptors } from '@temporalio/worker';
import { requireReadable } from '../contract/unreadable-payload.ts';

/** Fails an activity whose argument cannot be read. Temporal retries it, so it continues once the key is back. */
export function refuseUnreadableArguments(): ActivityInterceptors {
  return {
    inbound: {
      async execute(input, next) {
        input.args.forEach(requireReadable);
        return await next(input);
      },
    },
  };
}
