import { styleText } from 'node:util';

/** What a command writes to, such as process.stdout. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Writes text for people, in colour on a terminal unless NO_COLOR is set, or JSON for programs. */
export interface Terminal {
  /** Whether a line can be overwritten. */
  readonly isLive: boolean;
  /** Writes what has happened: with `--json` the data as one line of JSON, else the lines. */
  readonly show: (data: object, ...lines: readonly string[]) => void;
  /** Writes a line for people only. */
  readonly line: (text: string) => void;
  /** Writes a line that the next one overwrites. Only where `isLive`. */
  readonly transient: (text: string) => void;
  readonly paint: (format: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string) => string;
}

/** How a terminal writes. */
interface TerminalOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isJson: boolean;
}

/** Makes the terminal that writes to an output. */
export function createTerminal(output: Output, { environment, isJson }: TerminalOptions): Terminal {
  const isLive = output.isTTY === true && !isJson;
  const isColoured = isLive && !environment['NO_COLOR'];
  const clear = isLive ? '\r\u001B[K' : '';
  const line = (text: string) => {
    if (!isJson) output.write(`${clear}${text}\n`);
  };
  return {
    isLive,
    line,
    show: (data, ...lines) => {
      if (isJson) output.write(`${JSON.stringify(data)}\n`);
      for (const text of lines) line(text);
    },
    transient: (text) => output.write(clear + text),
    paint: (format, text) => (isColoured ? styleText(format, text, { validateStream: false }) : text),
  };
}
