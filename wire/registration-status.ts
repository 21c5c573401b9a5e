/** The states of a registration on the wire, as the platform documents them. */
export const registrationStatuses = [
  'ARS_AUTH_IN_PROGRESS',
  'ARS_AUTH_DONE',
  'ARS_AUTH_FAILED',
  'BANK_ACC_REG_FAILED',
  'BANK_ACC_REGISTERED',
] as const;

/** One of {@link registrationStatuses}. */
export type RegistrationStatus = (typeof registrationStatuses)[number];

/**
 * The states that may follow each state. An inquiry sees a registration now and then and may miss states in between;
 * so what it tells next can be reached from what it told before. Where nothing follows, the registration has ended.
 */
export const registrationTransitions: Readonly<Record<RegistrationStatus, readonly RegistrationStatus[]>> = {
  ARS_AUTH_IN_PROGRESS: ['ARS_AUTH_DONE', 'ARS_AUTH_FAILED', 'BANK_ACC_REG_FAILED'],
  ARS_AUTH_DONE: ['BANK_ACC_REG_FAILED', 'BANK_ACC_REGISTERED'],
  ARS_AUTH_FAILED: [],
  BANK_ACC_REG_FAILED: [],
  BANK_ACC_REGISTERED: [],
};

/** The states in which a registration has ended by failure. */
export type FailedStatus = 'ARS_AUTH_FAILED' | 'BANK_ACC_REG_FAILED';

/** How an ARS call ended at the payment gateway. */
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
