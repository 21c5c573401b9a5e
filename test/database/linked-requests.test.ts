import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Caller } from '../../api/http/authentication.ts';
import type { EncryptedBody } from '../../api/http/request-body.ts';
import { RepeatableRequest } from '../../api/http/repeatable-request.ts';
import { createLog } from '../../runtime/log.ts';
import { deleteAccount, registerAccount, registerForAutoCharge } from '../../wire/bank-account-operations.ts';
import { describeStores } from './stores-fixture.ts';

/** The same fields as every other, in one of two ciphertexts. */
interface LinkableRequest {
  readonly ciphertext: 'C1' | 'C2';
  readonly key: 'K1' | 'K2' | undefined;
}

const linkable: fc.Arbitrary<LinkableRequest> = fc.record({
  ciphertext: fc.constantFrom('C1', 'C2'),
  key: fc.constantFrom(undefined, 'K1', 'K2'),
});
const operations = { registerAccount, deleteAccount, registerForAutoCharge };
const operation = fc.constantFrom(...(Object.keys(operations) as (keyof typeof operations)[]));
/** A failure is shown at once: to shrink it takes minutes. */
const options = { numRuns: 60, endOnFailure: true };

/** The effect that each request has or repeats, by its position among the effects, if they come one after the other. */
function effectsInTurn(requests: readonly LinkableRequest[]): number[] {
  const effects = new Map<string, number>();
  let count = 0;
  return requests.map(({ ciphertext, key = ciphertext }) => {
    const effect = effects.get(ciphertext) ?? effects.get(key) ?? count++;
    effects.set(ciphertext, effect);
    if (!effects.has(key)) effects.set(key, effect);
    return effect;
  });
}

/** Which results are the same, whatever they are: each as the position of the first that equals it. */
const pattern = (results: readonly unknown[]) => results.map((result) => results.indexOf(result)).join();

function permutations(length: number): number[][] {
  if (length === 0) return [[]];
  return permutations(length - 1).flatMap((order) =>
    Array.from({ length }, (_, at) => order.toSpliced(at, 0, length - 1)),
  );
}

describeStores((on) => {
  let runs = 0;

  /** Members' accounts, each of which is numbered and has a successor at once, and whoever sends requests about them. */
  function createSender(sent: keyof typeof operations) {
    const run = ++runs;
    const effects = new Set<string>();
    let numbers = 0;
    let account = 'the first account';
    const parts = { stores: on.stores, log: createLog('test', 'silent') };
    const caller = { project: { aspId: 'TESTASP00000001' } } as Caller;

    async function act(repeatable: RepeatableRequest) {
      if (sent === 'registerAccount') {
        const number = await repeatable.bind(`number ${++numbers}`);
        effects.add(number);
        return { number };
      }
      const bound = await repeatable.bind(account);
      if (bound === account) {
        effects.add(account);
        account = `account ${++numbers}`;
      }
      return { number: '' };
    }

    return {
      effects,
      send: async ({ ciphertext, key }: LinkableRequest): Promise<string | undefined> => {
        const repeatable = new RepeatableRequest(parts, operations[sent], caller);
        const cryptoKey = { cryptoKeyId: 'crypto key' };
        await repeatable.rememberCiphertext({ encData: `${run} ${ciphertext}`, cryptoKey } as EncryptedBody);
        const { number } = await repeatable.once(key && `${run}-${key}`, {}, () => act(repeatable));
        return number;
      },
    };
  }

  it('has one effect for all requests that a ciphertext or an Idempotency-Key links', async () => {
    await fc.assert(
      fc.asyncProperty(operation, fc.array(linkable, { maxLength: 7 }), async (sent, requests) => {
        const { effects, send } = createSender(sent);
        const answers: unknown[] = [];
        for (const request of requests) answers.push(await send(request));
        const expected = effectsInTurn(requests);
        expect(effects.size).toBe(new Set(expected).size);
        // Only a registration answers with its number.
        const answered = sent === 'registerAccount' ? answers : expected;
        expect(pattern(answered)).toBe(pattern(expected));
      }),
      options,
    );
  });

  it('has no more effects for parallel requests than for the same in some order, and none for their repeats', async () => {
    await fc.assert(
      fc.asyncProperty(
        operation,
        fc.array(linkable, { minLength: 2, maxLength: 4 }),
        async (sent, requests) => {
          const { effects, send } = createSender(sent);
          const answers = await Promise.all(requests.map(send));
          const possible = permutations(requests.length).map((order) => {
            const inTurn = effectsInTurn(order.map((at) => requests[at]!));
            return requests.map((_, at) => inTurn[order.indexOf(at)]!);
          });
          const answered = sent === 'registerAccount' ? answers : possible[0]!;
          expect(possible.map(pattern)).toContain(pattern(answered));
          const { size } = effects;
          expect(size).toBeLessThanOrEqual(Math.max(...possible.map((each) => new Set(each).size)));
          for (const request of requests) await send(request);
          expect(effects.size).toBe(size);
        },
      ),
      options,
    );
  });
});
