import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../runtime/log.ts';
import { noTracing, startTracing } from '../../runtime/tracing.ts';
import type { Tracing } from '../../runtime/tracing.ts';
import { readSourceFiles } from '../architecture/source-files.ts';
import { startCollector } from '../fixtures/trace-collector.ts';
import type { TraceCollector } from '../fixtures/trace-collector.ts';
import { memberWorkflowId } from '../../contract/registration.ts';
import { startNotificationReceiver } from '../fixtures/notification-receiver.ts';
import type { NotificationReceiver } from '../fixtures/notification-receiver.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { registration, send, untilEnded } from '../fixtures/wire-client.ts';
import type { Project } from '../fixtures/wire-client.ts';

let stack: Stack;
let project: Project;
let receiver: NotificationReceiver;
let collector: TraceCollector;
let tracing: Tracing;
const lines: string[] = [];
/** The requests to the payment gateway, by path. */
const sent = new Map<string, Readonly<Record<string, string | undefined>>>();

/** What this process sends by undici, as undici announces it. */
interface Announced {
  readonly request: { readonly origin: string; readonly path: string; readonly headers: readonly string[] };
}

const noteRequest = (message: unknown): void => {
  const { origin, path, headers } = (message as Announced).request;
  if (origin !== stack.simulatorUrl) return;
  const header = (name: string) => (headers.includes(name) ? headers[headers.indexOf(name) + 1] : undefined);
  sent.set(path, { correlationId: header('x-correlation-id'), traceparent: header('traceparent') });
};

beforeAll(async () => {
  collector = await startCollector();
  const log = createLog('test', 'silent');
  tracing = await startTracing('test', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }, log);
  stack = await startStack({ onLogLine: (line) => lines.push(line), tracing });
  project = stack.projects[0];
  receiver = await startNotificationReceiver();
  await stack.stores.projects.setNotificationUrl(project.aspId, receiver.url);
  subscribe('undici:request:create', noteRequest);
});
afterAll(async () => {
  unsubscribe('undici:request:create', noteRequest);
  receiver.close();
  await stack.close();
  collector.close();
});

const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

const register = (member: number, correlationId: string) =>
  send(
    stack.url,
    project,
    '/api/v1/bankaccounts/ars/register',
    JSON.stringify(registration(project, member)),
    { headers: { 'X-KM-Correlation-Id': correlationId } },
  );

describe('the correlation ID of a registration', () => {
  const correlationId = '261122093005-0A1b2c3';
  let number: string;

  beforeAll(complete);

  async function complete(): Promise<void> {
    const { body, headers } = await register(0, correlationId);
    expect(headers.get('x-km-correlation-id')).toBe(correlationId);
    number = String(body['bankAccRegNo']);
    expect((await untilEnded(stack.url, project, number)).body).toMatchObject({
      status: 'BANK_ACC_REGISTERED',
    });
    await vi.waitUntil(() => receiver.received.length === 1, { timeout: 10_000 });
  }

  it('is on its row and in its run', async () => {
    const row = await stack.stores.registrations.findAny(number);
    expect(row).toMatchObject({ correlationId });
    const run = stack.temporal.workflow.getHandle(memberWorkflowId(row!.userId));
    expect((await run.describe()).memo?.['order']).toMatchObject({ correlationId });
  });

  it('is on the line of the request, with the registration number', () => {
    expect(parsed()).toContainEqual(
      expect.objectContaining({
        msg: 'request',
        route: '/api/v1/bankaccounts/ars/register',
        correlationId,
        registrationNumber: number,
      }),
    );
  });

  it('is on a line of each activity, and on that of each callback', async () => {
    const trail = { correlationId, registrationNumber: number };
    const activities = [
      'checkAccountHolder',
      'placeArsCall',
      'storeConsentEvidence',
      'registerAtPaymentGateway',
      'deliverResultNotification',
    ];
    for (const activity of activities)
      await expect
        .poll(parsed)
        .toContainEqual(expect.objectContaining({ msg: 'activity', activity, attempt: 1, ...trail }));
    expect(parsed()).toContainEqual(expect.objectContaining({ msg: 'callback received', ...trail }));
  });

  it('is on every request to the payment gateway and on the notification', () => {
    expect([...sent.keys()]).toEqual(
      expect.arrayContaining([
        '/v1/account-holders/inquiry',
        '/v1/ars-calls',
        '/v1/ars-calls/recording',
        '/v1/registrations',
      ]),
    );
    const ids = [...sent.values()].map((headers) => headers['correlationId']);
    expect(new Set(ids)).toEqual(new Set([correlationId]));
    expect(receiver.received[0]?.headers).toMatchObject({ 'x-km-correlation-id': correlationId });
  });

  it('makes one trace of its spans, in which nobody is named', async () => {
    const traceId = createHash('sha256').update(correlationId).digest('hex').slice(0, 32);
    const spansOfTrace = () => collector.spans.filter((span) => span.traceId === traceId);
    await expect
      .poll(() => spansOfTrace().map(({ name }) => name), { timeout: 20_000 })
      .toEqual(
        expect.arrayContaining([
          'POST /pg/callbacks',
          'checkAccountHolder',
          'payment gateway placeArsCall',
          'payment gateway register',
          'result notification',
        ]),
      );
    const spans = spansOfTrace();
    const named = (name: string) => spans.find((span) => span.name === name)!;
    const parentOf = (name: string) => spans.find(({ spanId }) => spanId === named(name).parentSpanId)?.name;
    const root = 'POST /api/v1/bankaccounts/ars/register';
    expect(named(root).parentSpanId || undefined).toBeUndefined();
    for (const name of ['checkAccountHolder', 'deliverResultNotification', 'POST /pg/callbacks'])
      expect([name, parentOf(name)]).toEqual([name, root]);
    expect(parentOf('payment gateway register')).toBe('registerAtPaymentGateway');
    expect(parentOf('result notification')).toBe('deliverResultNotification');
    expect(sent.get('/v1/registrations')!['traceparent']).toBe(
      `00-${traceId}-${named('payment gateway register').spanId}-01`,
    );

    const { userName, userId, mobileNumber } = project.members[0]!;
    const { bankAccount } = registration(project, 0);
    const stored = JSON.stringify(spans);
    for (const value of [userName, userId, mobileNumber, String(bankAccount), number, stack.simulatorUrl])
      expect(stored).not.toContain(value);
  });
});

it.for([
  [1, '01012341234/honggild'],
  [2, '269922093005-0a1b2c3'],
] as const)('an ID of another form is echoed and not kept: %s, %s', async ([member, given]) => {
  const { body, headers } = await register(member, given);
  expect(headers.get('x-km-correlation-id')).toBe(given);
  const row = await stack.stores.registrations.findAny(String(body['bankAccRegNo']));
  expect(row?.correlationId).toMatch(/^\d{12}-[0-9a-f]{7}$/);
  await untilEnded(stack.url, project, row!.registrationNumber);
  expect(parsed()).toContainEqual(
    expect.objectContaining({ msg: 'request', correlationId: row?.correlationId }),
  );
  expect(lines.filter((line) => line.includes(given))).toEqual([]);
});

it('probes are neither logged nor measured', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const response = await fetch(`${stack.url}${path}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('x-km-correlation-id')).toBeTruthy();
  }
  await fetch(`${stack.url}/docs`);
  await expect.poll(parsed).toContainEqual(expect.objectContaining({ msg: 'request', route: '/docs' }));
  const probed = /healthz|readyz|\/\*/;
  expect(parsed().filter(({ route }) => probed.test(String(route)))).toEqual([]);
  expect(await stack.metrics.registry.getSingleMetricAsString('api_request_duration_seconds')).not.toMatch(
    probed,
  );
});

it('OpenTelemetry is loaded only when traces go somewhere', async () => {
  expect(await startTracing('test', {}, createLog('test', 'silent'))).toBe(noTracing);
  const importing = readSourceFiles().filter(({ path, imports }) =>
    imports.some(
      ({ target, typesOnly }) =>
        !typesOnly && !path.startsWith('test/') && /^@opentelemetry\/|open-telemetry\.ts$/.test(target),
    ),
  );
  expect(importing.map(({ path }) => path)).toEqual(['runtime/open-telemetry.ts', 'runtime/tracing.ts']);
});
