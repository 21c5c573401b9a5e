import { readFile } from 'node:fs/promises';
import { Refused } from './refused.ts';

/** Reads a file of UTF-8 text. @throws {Refused} when it cannot be read or is not UTF-8 */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Refused(`${path} cannot be read (${code}). Check --help for what the command needs.`, {
      cause: error,
    });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Refused(`${path} is not UTF-8 text. Convert it, then repeat the command.`, { cause: error });
  }
}
