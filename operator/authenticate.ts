import { hostname, userInfo } from 'node:os';
import { readOperators } from '../database/operators.ts';
import type { Stores } from '../database/stores.ts';
import { findHolder } from '../runtime/bearer-tokens.ts';
import type { OperatorParts } from './command.ts';
import { Refused } from './refused.ts';

/** Finds out who gives a command by the token, and what needs a second person. @throws {Refused} */
export async function authenticate(
  stores: Pick<Stores, 'auditTrail'>,
  token: string,
): Promise<Pick<OperatorParts, 'actor' | 'secondPersonFor'>> {
  const operators = await readOperators(stores);
  if (!operators)
    throw new Refused('There are no operators yet: an API enters them when it starts, from OPERATOR_TOKENS.');
  const name = findHolder(operators.tokens, token);
  if (name === undefined)
    throw new Refused(
      'OPERATOR_TOKEN is not valid: no API has started with its hash in OPERATOR_TOKENS, or it has expired. Have a new one issued.',
    );
  const actor = { name, origin: `${userInfo().username}@${hostname()}` };
  return { actor, secondPersonFor: operators.secondPersonFor };
}
