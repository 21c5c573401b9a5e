export { deliverResultNotification } from './deliver-result-notification.ts';
export { reconcileLedger } from './reconcile-ledger.ts';
export { purgeExpiredEvidence } from './purge-expired-evidence.ts';
export { registerAutoCharge } from './register-auto-charge.ts';
export { registerWithdrawalAccount } from './register-withdrawal-account.ts';
export { removeAccount } from './remove-account.ts';
