import { proxySinks } from '@temporalio/workflow';
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { getActivator } from '@temporalio/workflow/lib/global-attributes.js';
import { registrationStateQuery, registrationTimelineQuery } from '../../contract/registration-messages.ts';
import type { CommandSinks } from './commands.ts';

const { commands: sink } = proxySinks<CommandSinks>();

/** Runs in the workflow sandbox. Reports each activation's commands before they are encrypted. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  internals: [
    {
      concludeActivation(input, next) {
        const { currentDetails, queryHandlers } = getActivator();
        const queries = Object.fromEntries(
          [registrationStateQuery, registrationTimelineQuery].map(({ name }) => [
            name,
            queryHandlers.get(name)?.handler(),
          ]),
        );
        sink.record({ commands: input.commands, currentDetails, queries });
        return next(input);
      },
    },
  ],
});
