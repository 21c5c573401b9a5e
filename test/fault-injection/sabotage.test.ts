import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyReplacement, sabotages } from '../../development/fault-injection/sabotage.ts';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';

const replacements = Object.entries(sabotages).flatMap(([name, sabotage]) =>
  sabotage.replacements.map((replacement) => ({ name, ...replacement })),
);

describe('a protection that can be taken out', () => {
  it.each(replacements)('$name stands in $file exactly once', (replacement) => {
    const source = readFileSync(join(projectDirectory, replacement.file), 'utf8');
    expect(applyReplacement(source, replacement)).toContain(replacement.by);
  });

  it('is not taken for taken out when its text is gone', () => {
    const replacement = { file: 'workflows/callbacks.ts', text: 'guard();', by: '' };
    expect(() => applyReplacement('nothing here', replacement)).toThrow('0 times');
    expect(() => applyReplacement('guard(); guard();', replacement)).toThrow('2 times');
  });
});
