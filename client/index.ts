export * from '../contract/bank-account-operations.ts';
export { banks } from '../contract/bank-codes.ts';
export type { BankCode } from '../contract/bank-codes.ts';
export { defineOperation } from '../contract/operation.ts';
export type { Operation } from '../contract/operation.ts';
export type { FailedStatus, RegistrationStatus } from '../contract/registration.ts';
export { resultCodes } from '../contract/result-codes.ts';
export type { ResultCode } from '../contract/result-codes.ts';
export { callbackAcknowledgement, verifyCallback } from './callback.ts';
export type { ReceivedCallback, RegistrationCallback } from './callback.ts';
export {
  InvalidCallbackError,
  KmError,
  KmProtocolError,
  KmRefusal,
  KmUnavailable,
  RegistrationInProgressError,
  RegistrationStillRunningError,
} from './errors.ts';
export type { ClientCode, KmErrorCode } from './errors.ts';
export { createKmClient } from './km-client.ts';
export type { CallOptions, KmClient, KmClientOptions, RequestOf, ResponseOf } from './km-client.ts';
export type { EncryptionKeys } from './message-encryption.ts';
export type { UserId } from './json.ts';
export { failedRegistration } from './registration-result.ts';
export type { FailedRegistration, RegistrationResult } from './registration-result.ts';
export type { WaitOptions } from './wait-until-done.ts';
