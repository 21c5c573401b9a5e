import { UsageError } from '../command-line/command-line.ts';
import { findMissingSchedules, ensureSchedules } from '../composition/schedules.ts';
import { searchAttributeNames } from '../contract/search-attributes.ts';
import { inspectSetup } from '../database/setup-inspection.ts';
import { ConfigurationError, problemOf } from '../runtime/config.ts';
import { grpcStatus } from '../runtime/error-code.ts';
import { operatorCommand } from '../runtime/operator-command.ts';
import {
  findRetentionDays,
  isForbidden,
  minRetentionDays,
  requireNamespace,
  setUpNamespace,
} from '../runtime/temporal-namespace.ts';
import { askTemporal } from './ask-temporal.ts';
import type { SetupSettings, TemporalContext } from './command.ts';
import { findDeploymentProblem } from './deployment-version.ts';
import type { OptionValues } from './options.ts';
import { Refused } from './refused.ts';

/** How far the clocks of this machine, the database and the payment gateway may differ, in ms. */
const clockTolerance = 2_000;

/** How long the payment gateway may take to answer, in ms. */
const gatewayTimeout = 5_000;

/** What was found of one thing that the service needs. */
interface Finding {
  readonly what: string;
  /** With the command that helps; undefined if nothing is wrong. */
  readonly problem?: string | undefined;
}

/**
 * Creates what the service needs in Temporal, and looks at the database, the deployment version and the clocks. `--check`
 * creates nothing. What the settings do not name is not looked at.
 */
export function setUp(values: OptionValues) {
  const retentionDays = Number(values['retention-days'] ?? 30);
  if (!Number.isInteger(retentionDays) || retentionDays < minRetentionDays) {
    throw new UsageError(`--retention-days must be ${minRetentionDays} or more.`);
  }
  const isCheck = values.check === true;

  return async (context: TemporalContext): Promise<void> => {
    const { temporal, settings, print } = context;
    const { namespace } = temporal.options;
    const findings: Finding[] = [];
    const look = async (what: string, find: () => Promise<string | undefined>) => {
      const finding = { what, problem: await find().catch(problemOf) };
      findings.push(finding);
      print(finding.problem ? `${what}: ${finding.problem}` : `${what}: ok`);
    };

    await look(`namespace ${namespace}`, () =>
      askTemporal(temporal, async () => {
        if (isCheck) await requireNamespace(temporal.connection, namespace);
        else await setUpNamespace(temporal.connection, namespace, retentionDays);
        const days = await findRetentionDays(temporal.connection, namespace);
        return days < minRetentionDays
          ? `ended runs are kept for ${days} days. Extend that: ${operatorCommand('setup')}`
          : undefined;
      }).catch(unlessForbidden(namespace, retentionDays)),
    );
    if (findings[0]!.problem === undefined) {
      print(`The namespace ${namespace} has all that the service needs.`);
      await look('schedules', () =>
        askTemporal(temporal, async () => {
          if (!isCheck) await ensureSchedules(temporal);
          const missing = await findMissingSchedules(temporal);
          return missing.length > 0
            ? `${missing.join(', ')} missing. Create them: ${operatorCommand('setup')}`
            : undefined;
        }),
      );
      if (settings)
        await look('deployment version', () =>
          askTemporal(temporal, () => findDeploymentProblem(temporal, settings)),
        );
    }
    if (settings) await lookOutside(settings, look);
    const problems = findings.filter(({ problem }) => problem !== undefined);
    if (problems.length > 0)
      throw new Refused(`Not all is set up: ${problems.map(({ what }) => what).join(', ')}.`);
  };
}

/** Looks at the database and the payment gateway, as far as the settings name them. */
async function lookOutside(
  { DATABASE_URL: databaseUrl, PAYLOAD_KEYS: payloadKeys, PG_BASE_URL: gatewayUrl }: SetupSettings,
  look: (what: string, find: () => Promise<string | undefined>) => Promise<void>,
): Promise<void> {
  if (databaseUrl !== undefined) {
    const inspection = inspectSetup(databaseUrl, payloadKeys).catch((error: Error) => {
      throw new ConfigurationError(`DATABASE_URL: the database does not answer (${error.message}).`);
    });
    await look('database and payload keys', async () => (await inspection).problem);
    const { clockOffset } = await inspection.catch(() => ({ clockOffset: undefined }));
    if (clockOffset !== undefined)
      await look('clock of the database', async () => describeOffset(clockOffset));
  }
  if (gatewayUrl !== undefined) {
    await look('clock of the payment gateway', async () => {
      const sentAt = Date.now();
      const response = await fetch(gatewayUrl, {
        method: 'HEAD',
        redirect: 'manual',
        signal: AbortSignal.timeout(gatewayTimeout),
      }).catch(() => undefined);
      const date = Date.parse(response?.headers.get('date') ?? '');
      if (Number.isNaN(date)) return 'PG_BASE_URL: nothing there says what time it is.';
      // The header has whole seconds.
      return describeOffset(date + 500 - (sentAt + Date.now()) / 2);
    });
  }
}

function describeOffset(milliseconds: number): string | undefined {
  if (Math.abs(milliseconds) <= clockTolerance) return undefined;
  const seconds = Math.round(Math.abs(milliseconds) / 1_000);
  return `it is ${seconds} s ${milliseconds > 0 ? 'ahead of' : 'behind'} ours. Synchronise both: timedatectl set-ntp true`;
}

/** The commands for whoever may create what we may not. */
function unlessForbidden(namespace: string, retentionDays: number) {
  return (error: unknown): never => {
    if (!isForbidden(error)) throw error;
    const names = searchAttributeNames.map((name) => `--name ${name} --type Keyword`).join(' ');
    throw new ConfigurationError(
      `this identity may not set it up (gRPC status ${grpcStatus(error)}). Run: temporal operator namespace create --namespace ${namespace} --retention ${retentionDays}d; temporal operator search-attribute create --namespace ${namespace} ${names}`,
    );
  };
}
