import { readRegistrationNumber } from './options.ts';
import type { OptionValues } from './options.ts';
import type { CommandContext } from './command.ts';
import { Refused } from './refused.ts';
import { alignColumns, describeTime } from './table.ts';
import { operatorCommand } from '../runtime/operator-command.ts';

/** Puts the evidence of a registration under legal hold. */
export function holdEvidence(values: OptionValues) {
  const registrationNumber = readRegistrationNumber(values);
  const { reason = '' } = values;

  return async ({ act, actor, print }: CommandContext): Promise<void> => {
    await act({ registrationNumber }, async (acting) => {
      const decision = { operator: actor.name, reason };
      const outcome = await acting.legalHolds.hold(registrationNumber, decision);
      if (outcome !== 'HELD') throw notHeld(registrationNumber, outcome);
    });
    print(`The evidence of ${registrationNumber} is under legal hold.`);
  };
}

function notHeld(registrationNumber: string, outcome: 'NOT_FOUND' | 'GONE' | 'HELD_ALREADY'): Refused {
  const obstacles = {
    NOT_FOUND: `There is no registration ${registrationNumber}. Check --number.`,
    GONE: `The evidence of ${registrationNumber} has been destroyed: its retention period had ended, or the member was erased. It cannot be restored.`,
    HELD_ALREADY: `The evidence of ${registrationNumber} is already under legal hold. See: ${operatorCommand('evidence list-holds')}`,
  };
  return new Refused(obstacles[outcome]);
}

/** Ends the legal hold of a registration. */
export function releaseEvidence(values: OptionValues) {
  const registrationNumber = readRegistrationNumber(values);
  const { reason = '' } = values;

  return async ({ act, actor, requireSecondPerson, print }: CommandContext): Promise<void> => {
    await requireSecondPerson('release', { registrationNumber });
    await act({ registrationNumber }, async (acting) => {
      const decision = { operator: actor.name, reason };
      if (await acting.legalHolds.release(registrationNumber, decision)) return;
      throw new Refused(
        `The evidence of ${registrationNumber} is under no legal hold. See: ${operatorCommand('evidence list-holds')}`,
      );
    });
    print(`The legal hold of ${registrationNumber} is released; its retention period is unchanged.`);
  };
}

/** Lists the legal holds in force. */
export function listHolds() {
  return async ({ stores, print }: CommandContext): Promise<void> => {
    const holds = await stores.legalHolds.list();
    if (holds.length === 0) return print('No evidence is under legal hold.');
    const rows = holds.map(({ registrationNumber, heldAt, heldBy, reason }) => [
      registrationNumber,
      describeTime(heldAt),
      heldBy,
      reason,
    ]);
    for (const line of alignColumns([['number', 'since', 'operator', 'reason'], ...rows])) print(line);
  };
}
