import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';

const program = `
  const { readFileSync } = await import('node:fs');
  const { execFileSync } = await import('node:child_process');
  const { runMain } = await import('./runtime/process.ts');
  runMain(async () => {
    process.stdout.write(readFileSync('/proc/self/coredump_filter', 'utf8'));
    process.stdout.write(execFileSync('cat', ['/proc/self/coredump_filter']));
  });
`;

it.skipIf(!existsSync('/proc/self/coredump_filter'))(
  'a core dump of a process, or of one that it starts, holds nothing of its memory',
  () => {
    const start =
      'echo 0x33 > /proc/self/coredump_filter && exec "$0" --import tsx --input-type=module -e "$1"';
    const output = execFileSync('sh', ['-c', start, process.execPath, program], { cwd: projectDirectory });
    expect(output.toString().trim().split('\n')).toEqual(['00000000', '00000000']);
  },
);
