/** The part of a pino logger that the simulator uses. Details never contain personal data. */
export interface Log {
  info(details: object, message: string): void;
  error(details: object, message: string): void;
}

export const silentLog: Log = { info: () => undefined, error: () => undefined };
