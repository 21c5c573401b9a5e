import { styleText } from 'node:util';

/** Where a command writes to; process.stdout and process.stderr are such. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** What a command line runs in. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
  readonly errors: Output;
}

/** Writes for people: in colour where there is a terminal that wants it. */
export interface Terminal {
  /** Whether a line can be written over. */
  readonly isLive: boolean;
  /** Writes a line. */
  readonly line: (text: string) => void;
  /** Writes a line that the next one takes the place of. Only where `isLive`. */
  readonly passing: (text: string) => void;
  readonly paint: (format: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string) => string;
}

/** Makes a terminal of an output. */
export function createTerminal(output: Output, environment: Surroundings['environment']): Terminal {
  const isLive = output.isTTY === true;
  const isColoured = isLive && !environment['NO_COLOR'];
  const clear = isLive ? '\r\u001B[K' : '';
  return {
    isLive,
    line: (text) => output.write(`${clear}${text}\n`),
    passing: (text) => output.write(clear + text),
    paint: (format, text) => (isColoured ? styleText(format, text, { validateStream: false }) : text),
  };
}
