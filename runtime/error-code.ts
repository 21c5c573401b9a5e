import { isGrpcServiceError } from '@temporalio/client';

/** The code of a system error or an SQLSTATE, such as ENOENT or 57P01; undefined for an error without one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * The gRPC status of an error of Temporal's; undefined for any other error. As a number, since the SDK's enum of them is
 * a package of its own.
 */
export function grpcStatus(error: unknown): number | undefined {
  return isGrpcServiceError(error) ? error.code : undefined;
}
