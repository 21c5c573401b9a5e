import { isUnreadable } from '../contract/unreadable-payload.ts';
import { ConfigurationError } from './config.ts';

/**
 * Makes sure that this process has the key of a value that a schedule holds, decoded.
 * @throws {ConfigurationError} when the key is missing: runs would need it too
 */
export function requirePayloadKey(value: unknown, scheduleId: string): void {
  if (!isUnreadable(value) || value.missingKey === undefined) return;
  throw new ConfigurationError(
    `PAYLOAD_KEYS lacks the key ${value.missingKey}, with which the schedule ${scheduleId} is encrypted, and perhaps runs: put it back behind the others. If the key is lost: temporal schedule delete --schedule-id ${scheduleId}`,
  );
}
