import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
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
const lines: string[] = [];
/** The requests to the payment gateway, by path. */
const sent = new Map<string, string | undefined>();

/** What this process sends by undici, as undici announces it. */
interface Announced {
  readonly request: { readonly origin: string; readonly path: string; readonly headers: readonly string[] };
}

const noteRequest = (message: unknown): void => {
  const { origin, path, headers } = (message as Announced).request;
  if (String(origin) !== stack.simulatorUrl) return;
  sent.set(path, headers[headers.indexOf('x-correlation-id') + 1]);
};

beforeAll(async () => {
  stack = await startStack({ onLogLine: (line) => lines.push(line) });
  project = stack.projects[0];
  receiver = await startNotificationReceiver();
  await stack.stores.projects.setNotificationUrl(project.aspId, receiver.url);
  subscribe('undici:request:create', noteRequest);
});
afterAll(async () => {
  unsubscribe('undici:request:create', noteRequest);
  receiver.close();
  await stack.close();
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

  beforeAll(async () => {
    const { body, headers } = await register(0, correlationId);
    expect(headers.get('x-km-correlation-id')).toBe(correlationId);
    number = String(body['bankAccRegNo']);
    expect((await untilEnded(stack.url, project, number)).body).toMatchObject({
      status: 'BANK_ACC_REGISTERED',
    });
    await vi.waitUntil(() => receiver.received.length === 1, { timeout: 10_000 });
  });

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
    expect(new Set(sent.values())).toEqual(new Set([correlationId]));
    expect(receiver.received[0]?.headers).toMatchObject({ 'x-km-correlation-id': correlationId });
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
