import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { projectDirectory } from '../sandbox/project-directory.ts';

const run = promisify(execFile);

/** A text of the source, and what replaces it. */
export interface Replacement {
  /** From the project's directory. */
  readonly file: string;
  /** Occurs in the file exactly once. */
  readonly text: string;
  readonly by: string;
}

/**
 * Applies a replacement to the text of its file.
 * @throws {Error} when the text to be replaced does not occur exactly once
 */
export function applyReplacement(source: string, { file, text, by }: Replacement): string {
  const parts = source.split(text);
  if (parts.length !== 2) throw new Error(`stale: ${file} has the text ${parts.length - 1} times: ${text}`);
  return parts.join(by);
}

/** Copies what git tracks or would track; the copy shares this clone's packages. */
export async function copySource(directory: string): Promise<void> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await run('git', list, { cwd: projectDirectory, maxBuffer: 64 * 1024 * 1024 });
  // A file that git tracks may have been removed.
  for (const file of stdout.split('\0').filter((name) => name && existsSync(join(projectDirectory, name)))) {
    mkdirSync(join(directory, dirname(file)), { recursive: true });
    cpSync(join(projectDirectory, file), join(directory, file));
  }
  symlinkSync(join(projectDirectory, 'node_modules'), join(directory, 'node_modules'));
}

/**
 * Takes a protection out of a copy of the source.
 * @returns puts it back
 * @throws {Error} when a text to be replaced does not occur exactly once; the copy is then unchanged
 */
export function takeOut(directory: string, replacements: readonly Replacement[]): () => void {
  const originals = new Map<string, string>();
  const changed = new Map<string, string>();
  for (const replacement of replacements) {
    const file = join(directory, replacement.file);
    const source = changed.get(file) ?? readFileSync(file, 'utf8');
    if (!originals.has(file)) originals.set(file, source);
    changed.set(file, applyReplacement(source, replacement));
  }
  for (const [file, source] of changed) writeFileSync(file, source);
  return () => originals.forEach((source, file) => writeFileSync(file, source));
}
