import type { Act } from '../database/audit-trail.ts';
import { operatorCommand } from '../runtime/operator-command.ts';
import { AwaitsSecondPerson } from './command.ts';
import type {
  ActOfCommand,
  CommandContext,
  OperatorCommand,
  OperatorParts,
  PlainContext,
} from './command.ts';
import type { OptionValues } from './options.ts';

/** What is asked for when a command needs a second person. */
interface Request {
  readonly command: string;
  readonly options: OptionValues;
}

/** The action of an entry that only asks for an act. */
export const requestAction = 'request';

/** How long a request may be approved, in ms. */
export const requestLifetime = 24 * 60 * 60 * 1_000;

/**
 * The context of one command: what it does is entered in the audit trail under its name and with its reason.
 * @param approves the entry of the request that it carries out for another person
 */
export function createContext(
  commands: Readonly<Record<string, OperatorCommand>>,
  { name, values }: { readonly name: string; readonly values: OptionValues },
  parts: OperatorParts & PlainContext,
  approves?: number,
): CommandContext {
  const { stores, actor, secondPersonFor } = parts;
  const complete = (about: ActOfCommand): Act => ({
    action: name,
    reason: values.reason,
    approves,
    ...about,
  });

  return {
    ...parts,

    act: (describe, work) =>
      stores.act(actor, work, (result) =>
        [typeof describe === 'function' ? describe(result) : describe].flat().map(complete),
      ),

    async requireSecondPerson(act, about) {
      if (approves !== undefined || !secondPersonFor.includes(act)) return;
      const request: Request = { command: name, options: values };
      const entry = { ...complete(about), action: requestAction, details: { ...request } };
      const sequence = await stores.act(
        actor,
        (acting) => acting.auditTrail.append(actor, [entry]),
        () => [],
      );
      throw new AwaitsSecondPerson(
        `Nothing is done yet: this needs a second person. Within 24 hours another operator carries it out by: ${operatorCommand(`approve --request ${sequence}`)}`,
      );
    },

    async carryOut({ sequence, details }) {
      const { command: requested, options } = JSON.parse(details) as Request;
      const found = commands[requested];
      if (found?.needs !== 'DATABASE') throw new Error(`There is no command ${requested}.`);
      const given = { name: requested, values: options };
      await found.read(options)(createContext(commands, given, parts, sequence));
    },
  };
}
