import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { findFreePort, PortUnavailableError, requireFreePorts } from '../../development/sandbox/ports.ts';
import { readSettings, wantedPorts } from '../../development/sandbox/settings.ts';

test.each(['127.0.0.1', '0.0.0.0'])(
  'a port taken on %s is reported with the variable that moves it',
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

test('free ports pass', async () => {
  const port = await findFreePort();

  await expect(requireFreePorts([{ port, purpose: 'the API', variable: 'PORT' }])).resolves.toBeUndefined();
});

test('two purposes cannot share a port', async () => {
  const port = String(await findFreePort());
  const settings = readSettings({ PORT: port, PG_SIMULATOR_PORT: port });

  await expect(requireFreePorts(wantedPorts(settings))).rejects.toThrow('Change PORT or PG_SIMULATOR_PORT.');
});

test('the Web UI has the port 1000 above the Temporal server and is moved by the same variable', () => {
  const wanted = wantedPorts(readSettings({ TEMPORAL_PORT: '9000' }));

  expect(wanted.filter(({ variable }) => variable === 'TEMPORAL_PORT').map(({ port }) => port)).toEqual([
    9000, 10_000,
  ]);
});

test.each(['0', '70000', '3000x', '-1', '1.5'])('PORT=%s is refused', (port) => {
  expect(() => readSettings({ PORT: port })).toThrow(
    `PORT must be a port number from 1 to 65535; it is "${port}".`,
  );
});
