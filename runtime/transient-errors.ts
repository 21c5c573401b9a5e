import { errorCode, grpcStatus } from './error-code.ts';

/** Codes of Node's network errors that mean: the other side is unavailable. */
const networkCodes = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOST|ENET|EAI_)/;
/** SQLSTATE classes that mean the same: connection, resources, operator intervention, idle transaction. */
const sqlStates = /^(08|53|57|25P)/;
/** Messages of node-postgres about lost connections, which have no code. */
const lostConnections =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;
/** gRPC statuses that mean the same: DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNAVAILABLE, CANCELLED. */
const grpcStatuses = [4, 8, 10, 14, 1];

/** Whether an error means that the database or Temporal is unavailable, and not that the program is wrong. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status = grpcStatus(error);
  if (status !== undefined) return grpcStatuses.includes(status);
  const code = errorCode(error) ?? '';
  if (networkCodes.test(code) || sqlStates.test(code)) return true;
  if (lostConnections.test(error.message)) return true;
  return isTransient(error.cause);
}
