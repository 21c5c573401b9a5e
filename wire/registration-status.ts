/** The statuses of a registration, as the platform documents them. */
export const registrationStatuses = [
  'ARS_AUTH_IN_PROGRESS',
  'ARS_AUTH_DONE',
  'ARS_AUTH_FAILED',
  'BANK_ACC_REG_FAILED',
  'BANK_ACC_REGISTERED',
] as const;

/** One of {@link registrationStatuses}. */
export type RegistrationStatus = (typeof registrationStatuses)[number];

/** The statuses with which registrations end. */
export const finalStatuses = ['ARS_AUTH_FAILED', 'BANK_ACC_REG_FAILED', 'BANK_ACC_REGISTERED'] as const;

/** One of {@link finalStatuses}. */
export type FinalStatus = (typeof finalStatuses)[number];

/**
 * The statuses that can directly follow each status. A client that polls may miss some of them. A status without
 * followers is final.
 */
export const registrationTransitions: Readonly<Record<RegistrationStatus, readonly RegistrationStatus[]>> = {
  ARS_AUTH_IN_PROGRESS: ['ARS_AUTH_DONE', 'ARS_AUTH_FAILED', 'BANK_ACC_REG_FAILED'],
  ARS_AUTH_DONE: ['BANK_ACC_REG_FAILED', 'BANK_ACC_REGISTERED'],
  ARS_AUTH_FAILED: [],
  BANK_ACC_REG_FAILED: [],
  BANK_ACC_REGISTERED: [],
};

/** The statuses of a failed registration. */
export type FailedStatus = 'ARS_AUTH_FAILED' | 'BANK_ACC_REG_FAILED';

/** The outcomes of an ARS call. */
export const arsOutcomes = [
  'PASSED',
  'NO_ANSWER',
  'BUSY',
  'REJECTED',
  'HUNG_UP',
  'NO_INPUT',
  'WRONG_CODE',
  'NOT_IN_SERVICE',
  'CARRIER_ERROR',
] as const;

/** One of {@link arsOutcomes}. */
export type ArsOutcome = (typeof arsOutcomes)[number];
