export { registerWithdrawalAccount } from './register-withdrawal-account.ts';
export { removeReplacedAccount } from './remove-replaced-account.ts';
