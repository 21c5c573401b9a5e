import { styleText } from 'node:util';

/** What a command writes to, such as process.stdout. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Writes text for people, in colour on a terminal unless NO_COLOR is set. */
export interface Terminal {
  /** Whether a line can be overwritten. */
  readonly isLive: boolean;
  /** Writes a line. */
  readonly line: (text: string) => void;
  /** Writes a line that the next one overwrites. Only where `isLive`. */
  readonly transient: (text: string) => void;
  readonly paint: (format: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string) => string;
}

/** Makes the terminal that writes to an output. */
export function createTerminal(
  output: Output,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  const isLive = output.isTTY === true;
  const isColoured = isLive && !environment['NO_COLOR'];
  const clear = isLive ? '\r\u001B[K' : '';
  return {
    isLive,
    line: (text) => output.write(`${clear}${text}\n`),
    transient: (text) => output.write(clear + text),
    paint: (format, text) => (isColoured ? styleText(format, text, { validateStream: false }) : text),
  };
}
