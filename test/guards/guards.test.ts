import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sabotages } from '../../development/fault-injection/sabotage.ts';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { applyReplacement } from '../../development/fault-injection/source-copy.ts';
import { guards } from './guards.ts';

const sources = (file: string): string => readFileSync(join(projectDirectory, file), 'utf8');

const protections = [
  ...guards.map(({ name, replacements }) => ({ name, replacements })),
  ...Object.entries(sabotages).map(([name, { replacements }]) => ({ name: `${name} (chaos)`, replacements })),
];

describe('the change that takes out a protection', () => {
  it.each(protections)('applies to the source as it is: $name', ({ replacements }) => {
    for (const replacement of replacements) {
      expect(applyReplacement(sources(replacement.file), replacement)).toContain(replacement.by);
    }
  });

  it('is stale where its text is absent or ambiguous', () => {
    const replacement = { file: 'workflows/callbacks.ts', text: 'guard();', by: '' };
    expect(() => applyReplacement('nothing here', replacement)).toThrow(
      'stale: workflows/callbacks.ts has the text 0 times',
    );
    expect(() => applyReplacement('guard(); guard();', replacement)).toThrow(
      'stale: workflows/callbacks.ts has the text 2 times',
    );
  });
});
