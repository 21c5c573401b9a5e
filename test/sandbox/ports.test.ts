import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { findFreePort, PortUnavailableError, requireFreePorts } from '../../development/sandbox/ports.ts';
import { readSettings, requiredPorts } from '../../development/sandbox/settings.ts';

test.each(['127.0.0.1', '0.0.0.0'])(
  'a port in use on %s is reported with the variable that changes it',
  async (host) => {
    const port = await findFreePort();
    const server = createServer().listen(port, host);
    onTestFinished(() => void server.close());
    await once(server, 'listening');

    const check = requireFreePorts([{ port, purpose: 'the API', variable: 'PORT' }]);

    await expect(check).rejects.toThrow(PortUnavailableError);
    await expect(check).rejects.toThrow(`Port ${port} for the API is already in use. Free it or set PORT`);
  },
);

test('free ports are accepted', async () => {
  const port = await findFreePort();

  await expect(requireFreePorts([{ port, purpose: 'the API', variable: 'PORT' }])).resolves.toBeUndefined();
});

test('two purposes cannot share a port', async () => {
  const port = String(await findFreePort());
  const settings = readSettings({ PORT: port, PG_SIMULATOR_PORT: port });

  await expect(requireFreePorts(requiredPorts(settings))).rejects.toThrow(
    'Change PORT or PG_SIMULATOR_PORT.',
  );
});

test('the Web UI’s port is TEMPORAL_PORT + 1000', () => {
  const ports = requiredPorts(readSettings({ TEMPORAL_PORT: '9000' }));

  expect(ports.filter(({ variable }) => variable === 'TEMPORAL_PORT').map(({ port }) => port)).toEqual([
    9000, 10_000,
  ]);
});

test.each(['0', '70000', '3000x', '-1', '1.5'])('the port number %s is refused', (port) => {
  expect(() => readSettings({ PORT: port, PG_SIMULATOR_PORT: port })).toThrow(
    /\n {2}PORT: .+\n {2}PG_SIMULATOR_PORT: /,
  );
});

test('a TEMPORAL_PORT that leaves no port for the Web UI is refused', () => {
  expect(() => readSettings({ TEMPORAL_PORT: '64536' })).toThrow(/\n {2}TEMPORAL_PORT: /);
  expect(readSettings({ TEMPORAL_PORT: '64535' }).temporalUiPort).toBe(65_535);
});
