import { expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { loadOrCreateSecrets } from '../../development/sandbox/secrets.ts';
import { startTestTemporal } from '../fixtures/temporal-server.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { startProgram } from './process-group.ts';

it('what Temporal’s native core warns of is in the log, with its reason', async () => {
  const temporalServer = await startTestTemporal();
  onTestFinished(() => temporalServer.stop());
  const directory = temporaryDirectory();
  const service = startProgram('development/sandbox/service.ts', {
    ...loadOrCreateSecrets(directory),
    PORT: String(await findFreePort()),
    METRICS_PORT: String(await findFreePort()),
    DATA_DIR: directory,
    TEMPORAL_ADDRESS: temporalServer.address,
    PG_BASE_URL: 'http://127.0.0.1:9',
    PG_CALLBACK_URL: 'http://127.0.0.1:9',
    CODEC_ALLOWED_ORIGIN: 'http://localhost:8233',
  });
  await service.untilOutput(/the service is up/);

  await temporalServer.stop();

  const [line] = await service.untilOutput(/^.*poll_workflow_task_queue.*$/m);
  expect(JSON.parse(line)).toMatchObject({
    level: 40,
    name: 'service',
    sdkComponent: 'core',
    error: expect.stringContaining('Unavailable'),
  });
});
