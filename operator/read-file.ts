import { readFile } from 'node:fs/promises';
import { errorCode } from '../runtime/error-code.ts';
import { Refused } from './refused.ts';

/** Reads a file of UTF-8 text. @throws {Refused} when it cannot be read or is not UTF-8 */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => {
    const code = errorCode(error) ?? 'unknown';
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
