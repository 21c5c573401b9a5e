import { readFileSync } from 'node:fs';
import { documentedTests, documents, findTroubles } from './documented-tests.ts';
import type { TestReport } from './documented-tests.ts';

// tsx test/docs/check-documented-tests.ts <vitest's JSON report>: whether every documented test has run and passed.
const report = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as TestReport;
const tests = documents.flatMap(documentedTests);
const troubles = findTroubles(tests, report, process.env['DATABASE_URL'] !== undefined);
for (const trouble of troubles) process.stdout.write(`${trouble}\n`);
process.stdout.write(`${tests.length} documented tests, ${troubles.length} not passed\n`);
process.exitCode = troubles.length > 0 || tests.length === 0 ? 1 : 0;
