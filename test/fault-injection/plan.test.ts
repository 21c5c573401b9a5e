import { describe, expect, it } from 'vitest';
import { createPlan, digestOf, pathNames, processNames } from '../../development/fault-injection/plan.ts';

describe('a plan', () => {
  it('is the same for the same seed and differs for another', () => {
    expect(createPlan(1, 300)).toEqual(createPlan(1, 300));
    expect(digestOf(createPlan(1, 300))).toBe(digestOf(createPlan(1, 300)));
    expect(digestOf(createPlan(2, 300))).not.toBe(digestOf(createPlan(1, 300)));
  });

  it.each([1, 20, 300])(
    'has %d registrations, kills every process and disturbs every path',
    (registrations) => {
      const { members, faults } = createPlan(3, registrations);
      expect(members.flat().filter(({ kind }) => kind === 'REGISTER')).toHaveLength(registrations);
      const killed = faults.flatMap(({ fault }) => (fault.kind === 'KILL' ? [fault.process] : []));
      expect(new Set(killed)).toEqual(new Set(processNames));
      const once = faults.filter(
        ({ fault }) => fault.kind === 'EMPTY_TEMPORAL' || fault.kind === 'RESTORE_DATABASE',
      );
      expect(once).toHaveLength(2);
      const disturbed = faults.flatMap(({ fault }) => ('path' in fault ? [fault.path] : []));
      expect(new Set(disturbed)).toEqual(new Set(pathNames));
    },
  );

  it('injects all faults before the last registration is requested', () => {
    const { faults } = createPlan(4, 300);
    for (const { afterRegistrations } of faults) {
      expect(afterRegistrations).toBeGreaterThan(0);
      expect(afterRegistrations).toBeLessThanOrEqual(300);
    }
  });

  it('changes the accounts of many members, and has every kind of behaviour', () => {
    const { members, callbacks, results } = createPlan(5, 300);
    expect(members.filter((operations) => operations.length > 1).length).toBeGreaterThan(50);
    const registers = members.flat().filter((operation) => operation.kind === 'REGISTER');
    expect(registers.some(({ isDoubled }) => isDoubled)).toBe(true);
    expect(registers.some(({ losesAnswer }) => losesAnswer)).toBe(true);
    expect(registers.some(({ cancelAfterMs }) => cancelAfterMs !== undefined)).toBe(true);
    expect(members.flat().some(({ kind }) => kind === 'DELETE')).toBe(true);
    expect(new Set(callbacks.map(({ kind }) => kind)).size).toBe(6);
    expect(new Set(results.map(({ kind }) => kind)).size).toBe(5);
  });
});
