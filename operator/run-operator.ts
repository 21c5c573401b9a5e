import { readFileSync } from 'node:fs';
import {
  openOperatorPaymentGateway,
  openOperatorService,
  openOperatorTemporal,
} from '../composition/open-operator-service.ts';
import type { OperatorTemporal } from '../composition/open-operator-service.ts';
import type { RegistrationPolicy } from '../contract/registration-policy.ts';
import { createNotificationSender } from '../notifications/notification-sender.ts';
import {
  operatorDatabaseConfigSchema,
  operatorPaymentGatewayConfigSchema,
  operatorSetupConfigSchema,
  readConfig,
} from '../runtime/config.ts';
import { keepMemoryOutOfCoreDumps } from '../runtime/core-dumps.ts';
import { createLog } from '../runtime/log.ts';
import { authenticate } from './authenticate.ts';
import { runOperatorCommand } from './run.ts';

const print = (line: string): unknown => process.stdout.write(`${line}\n`);
const printError = (line: string): unknown => process.stderr.write(`${line}\n`);
const readFile = (path: string): string => readFileSync(path, 'utf8');

/**
 * Carries out an operator's command line with the settings of `environment`.
 * @param policy in place of the one that the environment describes
 * @returns the exit code
 */
export async function runOperator(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
  policy?: RegistrationPolicy,
): Promise<number> {
  keepMemoryOutOfCoreDumps();
  const opened: OperatorTemporal[] = [];
  try {
    return await runOperatorCommand(words, {
      print,
      printError,
      openTemporal: () => {
        const settings = readConfig(operatorSetupConfigSchema, environment, readFile);
        const service = openOperatorTemporal(settings);
        opened.push(service);
        return { ...service, settings };
      },
      openAll: async () => {
        const config = readConfig(operatorDatabaseConfigSchema, environment, readFile);
        const log = createLog('operator', 'warn', (line) => process.stderr.write(line));
        const service = await openOperatorService(config, log);
        opened.push(service);
        return {
          ...service,
          ...(await authenticate(service.stores, config.OPERATOR_TOKEN)),
          ...(policy && { policy }),
          webUi: config.CODEC_ALLOWED_ORIGIN,
          notificationSender: createNotificationSender({ allowLoopback: false }),
          openPaymentGateway: () =>
            openOperatorPaymentGateway(readConfig(operatorPaymentGatewayConfigSchema, environment, readFile)),
        };
      },
    });
  } finally {
    for (const service of opened) await service.close();
  }
}
