import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { scenarioGroups, scenarioRequest } from '../../api/docs-page/scenarios.ts';
import { resultCodeOfRefusal } from '../../contract/refusal-reasons.ts';
import type { ResultCode } from '../../wire/result-codes.ts';
import type { RefusalReason } from '../../contract/refusal-reasons.ts';
import { accountBehaviour, phoneBehaviour } from '../../development/simulator/behaviour.ts';

const scenarios = scenarioGroups.flatMap((group) => group.scenarios);

test('every row of the simulator’s two tables has a card', () => {
  const readme = readFileSync(new URL('../../development/simulator/README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| (\d{4}) /gm)].map(([, ending]) => ending);
  const cards = scenarios.flatMap(({ accountEnding, mobileEnding }) => [accountEnding, mobileEnding]);
  expect(rows).toHaveLength(31);
  expect(rows.filter((ending) => !cards.includes(ending))).toEqual([]);
});

describe('the code on a card is the one that the simulator’s behaviour leads to', () => {
  test.for(scenarios.filter(({ endsWith }) => endsWith))('$title', (scenario) => {
    const { bankAccount, mobileNumber = '01012345678' } = scenarioRequest(scenario);
    expect(scenario.endsWith).toBe(codeOfCall(mobileNumber) ?? codeOfAccount(bankAccount) ?? '000_000');
  });
});

function codeOfCall(mobileNumber: string): ResultCode | undefined {
  const { conclusion, recordingIsLost } = phoneBehaviour(mobileNumber);
  if (recordingIsLost) return '002_910';
  return conclusion !== 'BY_PERSON' && conclusion.state === 'PASSED' ? undefined : '002_014';
}

function codeOfAccount(bankAccount: string): ResultCode | undefined {
  const { holder, registration } = accountBehaviour(bankAccount);
  const reason = holder === 'MATCHED' ? registration.kind === 'REFUSES' && registration.reason : holder;
  return reason ? resultCodeOfRefusal[reason as RefusalReason] : undefined;
}
