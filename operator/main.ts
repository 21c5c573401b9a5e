import { readFileSync } from 'node:fs';
import {
  openOperatorPaymentGateway,
  openOperatorService,
  openOperatorTemporal,
} from '../composition/open-operator-service.ts';
import type { OperatorTemporal } from '../composition/open-operator-service.ts';
import {
  operatorConfigSchema,
  operatorDatabaseConfigSchema,
  operatorPaymentGatewayConfigSchema,
  readConfig,
} from '../runtime/config.ts';
import { createLog } from '../runtime/log.ts';
import { runOperatorCommand } from './run.ts';

const print = (line: string): unknown => process.stdout.write(`${line}\n`);
const printError = (line: string): unknown => process.stderr.write(`${line}\n`);
const readFile = (path: string): string => readFileSync(path, 'utf8');

const opened: OperatorTemporal[] = [];

process.exitCode = await runOperatorCommand(process.argv.slice(2), {
  print,
  printError,
  openTemporal: () => {
    const service = openOperatorTemporal(readConfig(operatorConfigSchema, process.env, readFile));
    opened.push(service);
    return service;
  },
  openAll: async () => {
    const config = readConfig(operatorDatabaseConfigSchema, process.env, readFile);
    const log = createLog('operator', 'warn', (line) => process.stderr.write(line));
    const service = await openOperatorService(config, log);
    opened.push(service);
    return {
      ...service,
      openPaymentGateway: () =>
        openOperatorPaymentGateway(readConfig(operatorPaymentGatewayConfigSchema, process.env, readFile)),
    };
  },
});
for (const service of opened) await service.close();
