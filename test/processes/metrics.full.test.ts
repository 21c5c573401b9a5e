import { expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { loadOrCreateSecrets } from '../../development/sandbox/secrets.ts';
import { createSimulator } from '../../development/simulator/simulator.ts';
import { startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import { findCanaries } from '../end-to-end/canaries.ts';
import { startTestTemporal } from '../fixtures/temporal-server.ts';
import { expressions } from '../monitoring/expressions.ts';
import { metricsIn } from '../monitoring/metrics-in-expression.ts';
import { temporaryDirectory } from '../fixtures/temporary-directory.ts';
import { call, registration, untilEnded } from '../fixtures/wire-client.ts';
import type { Project } from '../fixtures/wire-client.ts';
import { startProgram } from './process-group.ts';

const person = {
  userName: '나이팅게일 Nachtigall-Zaunkönig',
  mobileNumber: '01098760007',
  bankName: 'Bank of the Nightingale',
};
const accounts = { registered: '11000733190284761234', refused: '11000733190284769003' };

it('metrics have their own port; neither they nor the logs contain secrets or personal data', async () => {
  const directory = temporaryDirectory();
  const secrets = loadOrCreateSecrets(directory);
  const temporalServer = await startTestTemporal();
  onTestFinished(() => temporalServer.stop());
  const simulator = createSimulator({
    dataDirectory: temporaryDirectory(),
    sharedSecret: secrets.PG_SHARED_SECRET,
  });
  const { url: simulatorUrl } = await simulator.start(0);
  onTestFinished(() => simulator.stop());
  const receiver = await startNotificationReceiver();
  onTestFinished(() => void receiver.close());
  const [port, metricsPort, temporalMetricsPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ];
  const url = `http://127.0.0.1:${port}`;
  const service = startProgram('development/sandbox/service.ts', {
    ...secrets,
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
    TEMPORAL_METRICS_PORT: String(temporalMetricsPort),
    LOG_LEVEL: 'trace',
    DATA_DIR: directory,
    TEMPORAL_ADDRESS: temporalServer.address,
    PG_BASE_URL: simulatorUrl,
    PG_CALLBACK_URL: `${url}/pg/callbacks`,
    CODEC_ALLOWED_ORIGIN: 'http://localhost:8233',
  });
  await service.untilOutput(/the service is up/);
  const { projects } = (await (await fetch(`${url}/sandbox/credentials`)).json()) as { projects: Project[] };
  const project = projects[0]!;
  await fetch(`${url}/sandbox/projects/${project.aspId}/callback`, {
    method: 'PUT',
    body: JSON.stringify({ callbackUrl: receiver.url }),
  });

  const numbers = [];
  for (const [member, bankAccount] of [
    accounts.registered,
    accounts.registered,
    accounts.refused,
  ].entries()) {
    const request = registration(project, member, { ...person, bankAccount });
    const { body } = await call(url, project, '/ars/register', request);
    numbers.push(String(body['bankAccRegNo']));
  }
  for (const number of numbers) await untilEnded(url, project, number);
  await call(url, { ...project, secretKey: 'another' }, '/institutions', {});
  await expect.poll(() => receiver.received.length, { timeout: 20_000 }).toBe(3);

  const scrape = async (at: number) => await (await fetch(`http://127.0.0.1:${at}/metrics`)).text();
  const untilCounted = (at: number, line: string) =>
    expect.poll(() => scrape(at), { timeout: 20_000 }).toContain(line);
  await untilCounted(metricsPort, 'result_notifications_total{state="DELIVERED"} 3');
  const metrics = await scrape(metricsPort);
  for (const line of [
    'registrations_started_total 3',
    'registrations_ended_total{status="BANK_ACC_REGISTERED",code="000_000"} 2',
    'registrations_ended_total{status="BANK_ACC_REG_FAILED",code="002_016"} 1',
    'ars_calls_total{outcome="PASSED"} 3',
    'payment_gateway_request_duration_seconds_count{operation="inquireAccountHolder",outcome="MATCHED"} 3',
    'payment_gateway_request_duration_seconds_count{operation="register",outcome="REGISTERED"} 2',
    'payment_gateway_request_duration_seconds_count{operation="register",outcome="REFUSED"} 1',
    'api_request_duration_seconds_count{route="/open-api/api/v1/bankaccounts/ars/register",status="200",code="000_000"} 3',
    'api_request_duration_seconds_count{route="/open-api/api/v1/bankaccounts/institutions",status="400",code="000_903"} 1',
    'api_requests_in_flight 0',
    'bank_request_duration_seconds_count{bank="003",operation="register",outcome="REGISTERED"} 2',
    'registrations_open{step="REVIEW"} 0',
    'schedule_last_success_timestamp_seconds{schedule="reconciliation"} 0',
    'task_queue_pollers{type="workflow"} 1',
    'result_notification_lag_seconds 0',
  ]) {
    expect(metrics.split('\n')).toContain(line);
  }
  const families = [...metrics.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name!);
  const names = expressions.flatMap((expression) => metricsIn(expression)).map(({ name }) => name);
  const missing = names.filter(
    (name) => !families.includes(name) && !families.includes(name.replace(/_(bucket|sum|count)$/, '')),
  );
  expect(missing).toEqual([]);
  // A registration has ended before its run closes.
  await untilCounted(temporalMetricsPort, 'temporal_workflow_completed');
  const temporalMetrics = await scrape(temporalMetricsPort);
  expect((await fetch(`${url}/metrics`)).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${metricsPort}/`)).status).toBe(404);

  const { accessKey, secretKey } = project;
  const [databaseKey, payloadKey] = [secrets.DATABASE_KEYS, secrets.PAYLOAD_KEYS].map(
    (keys) => keys.split(':')[1]!,
  );
  const hidden = {
    databaseKey: databaseKey!,
    payloadKey: payloadKey!,
    paymentGatewaySecret: secrets.PG_SHARED_SECRET,
  };
  const canaries = { ...person, ...accounts, accessKey, secretKey, ...hidden };
  expect(findCanaries(service.output(), canaries)).toEqual([]);
  const members = Object.fromEntries(project.members.map(({ userId }) => [`member ${userId}`, userId]));
  const identifiers = { ...members, ...Object.fromEntries(numbers.map((number) => [number, number])) };
  // A number that is measured may have any digits.
  const withoutValues = (metrics + temporalMetrics).replaceAll(/ [\d.e+-]+$/gm, '');
  expect(findCanaries(withoutValues, { ...canaries, ...identifiers })).toEqual([]);
}, 180_000);
