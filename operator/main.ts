import { readFileSync } from 'node:fs';
import { operatorConfigSchema, operatorDatabaseConfigSchema, readConfig } from '../runtime/config.ts';
import { deploymentPolicy } from '../composition/deployment-policy.ts';
import { openPostgres } from '../database/database.ts';
import { createStores } from '../database/stores.ts';
import { createLog } from '../runtime/log.ts';
import { createTemporalClient, temporalConnection } from '../runtime/temporal.ts';
import { createDataConverter } from '../encryption/data-converter.ts';
import { runOperatorCommand } from './run.ts';

const print = (line: string): unknown => process.stdout.write(`${line}\n`);
const printError = (line: string): unknown => process.stderr.write(`${line}\n`);
const readFile = (path: string): string => readFileSync(path, 'utf8');
const opened: { close(): Promise<void> }[] = [];

function connectTemporal(payloadKeys: string) {
  const temporal = createTemporalClient(temporalConnection(), createDataConverter(payloadKeys));
  opened.push(temporal.connection);
  return temporal;
}

process.exitCode = await runOperatorCommand(process.argv.slice(2), {
  print,
  printError,
  openTemporal: () => ({
    temporal: connectTemporal(readConfig(operatorConfigSchema, process.env, readFile).PAYLOAD_KEYS),
  }),
  openAll: async () => {
    const config = readConfig(operatorDatabaseConfigSchema, process.env, readFile);
    const log = createLog('operator', 'warn', (line) => process.stderr.write(line));
    const database = await openPostgres(config.DATABASE_URL, log);
    opened.push(database);
    return {
      stores: createStores(database.queries, config.DATABASE_KEYS),
      temporal: connectTemporal(config.PAYLOAD_KEYS),
      policy: deploymentPolicy(config),
    };
  },
});
await Promise.all(opened.map((resource) => resource.close()));
