export * from '../wire/bank-account-operations.ts';
export { institutions } from '../wire/bank-codes.ts';
export type { BankCode } from '../wire/bank-codes.ts';
export { defineOperation } from '../wire/operation.ts';
export type { Operation } from '../wire/operation.ts';
export type { FailedStatus, RegistrationStatus } from '../wire/registration-status.ts';
export { resultCodes } from '../wire/result-codes.ts';
export type { ResultCode } from '../wire/result-codes.ts';
export { notificationAcknowledgement, testRegistrationNumber } from '../wire/result-notification.ts';
export { verifyNotification } from './result-notification.ts';
export type { ReceivedNotification, ResultNotification } from './result-notification.ts';
export {
  InvalidNotificationError,
  KmAborted,
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
