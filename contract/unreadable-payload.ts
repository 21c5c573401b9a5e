/**
 * What stands in place of a payload that is not encrypted or cannot be decrypted. The payload codec puts it there
 * instead of throwing, because an error while Temporal decodes a signal would make the run's task fail forever. It is never a value.
 */
export interface Unreadable {
  /** Why, for operators. */
  readonly unreadablePayload: string;
  /** The ID of the key that is needed and was not given. */
  readonly missingKey?: string;
}

/** The type of the failure of a workflow or an activity that needs such a payload. */
export const unreadableFailure = 'UnreadablePayload';

/** Whether a decoded value stands for a payload that could not be read. */
export function isUnreadable(value: unknown): value is Unreadable {
  return typeof value === 'object' && value !== null && 'unreadablePayload' in value;
}

/** Returns a decoded value. @throws {Error} if it stands for a payload that could not be read */
export function requireReadable<Value>(value: Value): Value {
  if (isUnreadable(value)) throw new Error(`A payload cannot be read: ${value.unreadablePayload}`);
  return value;
}
