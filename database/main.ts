import { readFileSync } from 'node:fs';
import { migrationConfigSchema, readConfig } from '../runtime/config.ts';
import { runMain } from '../runtime/process.ts';
import { migrateDatabase, roleOf } from './migrate.ts';

/** `npm run migrate`: to be run before the processes of a new version start. */
runMain(async () => {
  const config = readConfig(migrationConfigSchema, process.env, (path) => readFileSync(path, 'utf8'));
  const role = roleOf(config.DATABASE_URL, config.DATABASE_OWNER_URL);
  await migrateDatabase(config.DATABASE_OWNER_URL, role);
  process.stdout.write(`The tables are up to date, and the role ${role.name} has its rights.\n`);
});
