import pino from 'pino';
import { currentCorrelation } from './correlation.ts';

/** A structured logger: one JSON object per line. */
export type Log = pino.Logger;

/**
 * Creates the logger of a process. Each line has the correlation ID and registration number that it belongs to. Callers pass
 * identifiers and codes only; redaction is a second line of defence for fields that could hold personal data or secrets. Lines go to standard output, or to `onLine`.
 */
export function createLog(name: string, level = 'info', onLine?: (line: string) => void): Log {
  const options: pino.LoggerOptions = {
    name,
    level,
    mixin: () => ({ ...currentCorrelation() }),
    redact: {
      paths: [
        'bankAccount',
        'userName',
        'birthDate',
        'mobileNumber',
        'authNumber',
        'secretKey',
        'accessKey',
        'body',
      ].flatMap((field) => [field, `*.${field}`]),
      censor: '[redacted]',
    },
    serializers: { err: errorWithoutInput },
  };
  return onLine ? pino(options, { write: onLine }) : pino(options);
}

/** Name, message and stack of an error and its cause, but no other property: those may hold query parameters. */
function errorWithoutInput(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, stack, cause } = error;
  // The message of a failed query repeats its parameters after this mark.
  const text = error.message.split('\nparams:')[0];
  return {
    type: name,
    message: text,
    stack: stack
      ?.split('\n')
      .filter((line) => line.trimStart().startsWith('at '))
      .slice(0, 12)
      .join('\n'),
    ...(cause === undefined ? {} : { cause: errorWithoutInput(cause) }),
  };
}
