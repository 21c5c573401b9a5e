import { UsageError } from '../command-line/command-line.ts';
import { operatorCommand } from '../runtime/operator-command.ts';
import type { Incarnation } from '../database/incarnations.ts';
import type { CommandContext } from './command.ts';
import type { OptionValues } from './options.ts';

/**
 * Says that the database was restored, and to when. Nothing is sent before. Numbers that are older are asked about at the
 * payment gateway before anything is sent for them again.
 */
export function restored(values: OptionValues) {
  const { to } = values;
  const losesNothing = values['lost-nothing'] === true;
  if ((to === undefined) !== losesNothing)
    throw new UsageError('restored takes either --to, the time of the backup, or --lost-nothing.');
  const restoredTo = to === undefined ? null : readTime(to);

  return async ({ act, print }: CommandContext): Promise<void> => {
    const { incarnation, firstSequence } = await act(
      (life: Incarnation) => ({ details: { restoredTo, incarnation: life.incarnation } }),
      (acting) => acting.incarnations.begin(restoredTo),
    );
    const next = restoredTo ? `Now: ${operatorCommand('adopt')}` : 'Start the workers, then the API.';
    print(`This is life ${incarnation} of the database. ${next}`);
    if (restoredTo)
      print(
        `What was sent since ${restoredTo.toISOString()} is asked about first. Result notifications go on from number ${firstSequence}.`,
      );
  };
}

function readTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()) || time > new Date())
    throw new UsageError('--to must be a time in the past, such as 2026-11-26T02:00:00Z.');
  return time;
}
