import { pino } from 'pino';
import { readSimulatorSettings } from './settings.ts';
import type { Settings } from './settings.ts';
import { createSimulator } from './simulator.ts';
import type { Simulator } from './simulator.ts';

const log = pino({ name: 'simulator' });

try {
  const settings = readSimulatorSettings(process.env);
  const simulator = open(settings);
  stopOnSignal(simulator);
  await listen(simulator, settings);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function open({ dataDirectory, sharedSecret }: Settings): Simulator {
  try {
    return createSimulator({ dataDirectory, sharedSecret, log });
  } catch (error) {
    throw new Error(`PG_SIMULATOR_DATA_DIR cannot be used: ${String(error)}`, { cause: error });
  }
}

async function listen(simulator: Simulator, settings: Settings): Promise<void> {
  try {
    const { port, url } = await simulator.start(settings.port, settings.host);
    log.info({ port, phonePage: `${url}/simulator/phone` }, 'The simulator is listening');
  } catch (error) {
    await simulator.stop();
    throw explain(error, settings);
  }
}

function explain(error: unknown, { port, host }: Settings): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new Error(`Port ${port} is in use. Set PG_SIMULATOR_PORT to a free port.`, { cause: error });
  }
  if (code === 'EACCES') {
    return new Error(`Port ${port} requires more privileges. Set PG_SIMULATOR_PORT to another port.`, {
      cause: error,
    });
  }
  return new Error(`Cannot listen on HOST ${host}: ${String(error)}`, { cause: error });
}

function stopOnSignal(simulator: Simulator): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    simulator.stop().then(
      () => log.info({}, 'The simulator has stopped'),
      (error: unknown) => {
        log.error({ error: String(error) }, 'The simulator did not stop cleanly');
        process.exitCode = 1;
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
