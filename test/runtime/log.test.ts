import { DrizzleQueryError } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { createLog } from '../../runtime/log.ts';

it('logs a failed query without its parameters', () => {
  const lines: string[] = [];
  const log = createLog('test', 'info', (line) => lines.push(line));
  const cause = Object.assign(new Error('connection lost'), { detail: 'Key (name)=(김하늘) exists.' });
  log.error({ err: new DrizzleQueryError('select $1', ['김하늘'], cause) }, 'a request failed');
  expect(lines.join('')).not.toContain('김하늘');
  expect(lines.join('')).toContain('connection lost');
});
