import { accountCommands } from './account-commands.ts';
import type { KmCommand } from './command.ts';
import { listenCommand } from './listen.ts';
import { registrationCommands } from './registration-commands.ts';

/** All commands by name. */
export const commands: Readonly<Record<string, KmCommand>> = {
  ...registrationCommands,
  ...accountCommands,
  listen: listenCommand,
};
