import { join } from 'node:path';
import type { z } from 'zod';
import { startApi } from '../../api/run-api.ts';
import { openService } from '../../composition/open-service.ts';
import type { RegistrationPolicy } from '../../contract/registration-policy.ts';
import { createLog } from '../../runtime/log.ts';
import { serveMetrics } from '../../runtime/metrics-server.ts';
import { stopRequested } from '../../runtime/process.ts';
import { ensureSchedules, keepEnsuringSchedules } from '../../composition/schedules.ts';
import { installRuntime, startWorker, temporalMetricsAddress } from '../../worker/worker.ts';
import { buildDocsPage } from '../build/docs-page.ts';
import { buildWorkflowBundle } from '../build/workflow-bundle.ts';
import type { sandboxConfigSchema } from './config.ts';
import { openPglite } from './embedded-database.ts';
import { loadCredentials, publicCredentials, seed } from './credentials.ts';
import { createSandboxOperator } from './operator.ts';
import { sandboxCircuitBreakers } from './policy.ts';
import { restrict } from './data-directory.ts';
import { sandboxRoutes } from './routes.ts';

/**
 * Runs API and worker in one process until it is asked to stop: the embedded database allows no second process.
 * @param policy the policy of the registrations that it accepts
 */
export async function runService(
  config: z.output<typeof sandboxConfigSchema>,
  policy: RegistrationPolicy,
): Promise<void> {
  const log = createLog('service', config.LOG_LEVEL);
  const service = await openService(config, {
    log,
    openDatabase: async () => {
      const dataDir = join(config.DATA_DIR, 'database');
      const database = await openPglite({ dataDir }, 'service');
      // PGlite creates its first files for everybody, whatever the umask is.
      restrict(dataDir);
      return database;
    },
    circuitBreakers: sandboxCircuitBreakers,
  });
  installRuntime(log, {
    shutdownSignals: [],
    metricsAddress: temporalMetricsAddress(config),
    onFailedWorkflowTask: () => service.metrics.workflowTaskFailures.inc(),
  });
  const stopMetrics = await serveMetrics(() => service.metrics.registry, config);
  const credentials = await loadCredentials(join(config.DATA_DIR, 'credentials.json'));
  await seed(service.stores, credentials);
  const workflowBundle = await buildWorkflowBundle();
  const worker = await startWorker(service, {
    workflowBundle,
    allowLoopback: true,
    shutdownGraceTime: 4_000,
  });
  await ensureSchedules(service.temporal);
  const stopEnsuring = keepEnsuringSchedules(service);
  const sandbox = {
    docsPage: await buildDocsPage(),
    serveSandbox: sandboxRoutes({
      credentials: publicCredentials(credentials),
      phoneUrl: new URL('/simulator/phone', config.PG_BASE_URL).href,
      operator: {
        token: config.SANDBOX_OPERATOR_TOKEN,
        run: createSandboxOperator(service, policy),
      },
    }),
  };
  const api = await startApi({ ...service, ...sandbox, policy }, config, {
    sweep: { interval: 5_000, startsPerSecond: 50 },
  });
  log.info('the service is up');

  await Promise.race([stopRequested(), worker.running]);
  stopEnsuring();
  await api.close();
  await worker.stop();
  stopMetrics();
  await service.close();
}
