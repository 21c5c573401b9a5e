import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';

const page = readFileSync(join(projectDirectory, 'docs', 'disaster-recovery.md'), 'utf8');

/** The steps of docs/disaster-recovery.md, by the title of their section: commands, and `# …` for what is done by hand. */
export const recoverySteps: ReadonlyMap<string, readonly string[]> = new Map(
  page
    .split('\n## ')
    .slice(1)
    .map((section) => {
      const [title = ''] = section.split('\n');
      const blocks = [...section.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, lines]) => lines!);
      return [
        title,
        blocks
          .join('')
          .split('\n')
          .filter((line) => line !== ''),
      ];
    }),
);
