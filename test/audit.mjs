import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const projectDirectory = fileURLToPath(new URL('..', import.meta.url));

/**
 * Asks npm's registry whether any version that the service runs on is known to be vulnerable.
 *
 * @returns `clean`; `vulnerable` with npm's report; `unavailable` with the reason, when the registry does not answer
 *   audits, like some mirrors; `failed` with the reason, when npm could not run
 */
export function auditDependencies() {
  const { stdout, stderr, error } = spawnSync(
    'npm',
    ['audit', '--omit=dev', '--audit-level=high', '--json', '--fetch-retries=0'],
    { cwd: projectDirectory, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const report = parse(stdout);
  if (!report?.vulnerabilities || !report.metadata) {
    // Only what comes of asking the registry has a message beside npm's own error.
    if (report?.message) return { outcome: 'unavailable', text: report.message };
    const reason = error?.message ?? report?.error?.summary ?? stderr.trim().split('\n').at(-1);
    return { outcome: 'failed', text: reason || 'npm gave no reason' };
  }
  const findings = Object.values(report.vulnerabilities)
    .filter(({ severity }) => severity === 'high' || severity === 'critical')
    .map(({ name, severity, via }) => {
      const titles = via.map((cause) =>
        typeof cause === 'string' ? `by ${cause}` : `${cause.title} ${cause.url}`,
      );
      return `  ${name}: ${severity}: ${titles.join('; ')}`;
    });
  if (findings.length === 0) return { outcome: 'clean', text: 'no dependency is known to be vulnerable' };
  return { outcome: 'vulnerable', text: findings.join('\n') };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { outcome, text } = auditDependencies();
  const isWaived = outcome === 'unavailable' && process.env.AUDIT_UNAVAILABLE === 'ok';
  const line = {
    clean: `audit: ${text}`,
    vulnerable: `audit: vulnerable dependencies\n${text}\nUpdate them, or say in package.json's overrides what to take instead.`,
    failed: `audit: npm could not ask: ${text}`,
    unavailable: `audit: NOT CARRIED OUT, the registry does not answer audits (${text})${isWaived ? '; waived by AUDIT_UNAVAILABLE=ok' : ''}`,
  }[outcome];
  process.stdout.write(`${line}\n`);
  process.exitCode = outcome === 'clean' || isWaived ? 0 : 1;
}
