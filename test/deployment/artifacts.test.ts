import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ZodObject } from 'zod';
import { connectionLimits } from '../../api/http/server.ts';
import { createWaitingApp } from '../../api/waiting-app.ts';
import { refuseUnfitSettings } from '../../composition/production-settings.ts';
import { findFreePort } from '../../development/sandbox/ports.ts';
import { projectDirectory } from '../../development/sandbox/project-directory.ts';
import { readSimulatorSettings } from '../../development/simulator/settings.ts';
import { runOperatorCommand } from '../../operator/run.ts';
import {
  apiConfigSchema,
  migrationConfigSchema,
  operatorDatabaseConfigSchema,
  operatorPaymentGatewayConfigSchema,
  operatorSetupConfigSchema,
  readConfig,
  workerConfigSchema,
} from '../../runtime/config.ts';
import { serveHealth } from '../../worker/health-server.ts';
import { maxWorkerDrain } from '../../worker/worker.ts';

type Names = Readonly<Record<string, string>>;
interface Container {
  readonly image: string;
  readonly build?: { readonly target: string };
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Names;
  readonly read_only?: boolean;
  readonly stop_grace_period?: string;
  readonly ports?: readonly string[];
}
interface ProcessValues {
  readonly settings: Names;
  readonly secretSettings: readonly string[];
  readonly terminationGracePeriodSeconds: number;
}

const read = (path: string): string => readFileSync(join(projectDirectory, path), 'utf8');
const chart = 'deploy/helm/withdrawal-account-registration';
const { services } = parse(read('compose.yaml'), { merge: true }) as {
  services: Readonly<Record<string, Container>>;
};
const values = parse(read(`${chart}/values.yaml`)) as {
  settings: Names;
  api: ProcessValues;
  worker: ProcessValues;
};
const templates = Object.fromEntries(
  readdirSync(join(projectDirectory, chart, 'templates')).map((file) => [
    file,
    read(`${chart}/templates/${file}`),
  ]),
);
const dockerfile = read('Dockerfile');
const balancer = read('deploy/compose/haproxy.cfg');
const { version } = JSON.parse(read('package.json')) as { version: string };
const own = Object.entries(services).filter(([, { build }]) => build?.target === 'service');

const programs: Readonly<Record<string, ZodObject>> = {
  migrate: migrationConfigSchema,
  setup: operatorSetupConfigSchema,
  api1: apiConfigSchema,
  api2: apiConfigSchema,
  worker1: workerConfigSchema,
  worker2: workerConfigSchema,
  operator: operatorDatabaseConfigSchema.extend(operatorPaymentGatewayConfigSchema.shape),
};
/** Read by the Temporal SDK, as docs/configuration.md says. */
const ofTemporal =
  /^TEMPORAL_(ADDRESS|NAMESPACE|TLS|TLS_CLIENT_CERT_PATH|TLS_CLIENT_KEY_PATH|TLS_SERVER_CA_CERT_PATH)$/;
const unknownTo = (schema: ZodObject, names: readonly string[]) =>
  names.filter((name) => !(name.replace(/_FILE$/, '') in schema.shape) && !ofTemporal.test(name));

let keys: Names;
beforeAll(async () => {
  const lines: string[] = [];
  await runOperatorCommand(['keys', 'generate'], {
    print: (line) => lines.push(line),
    printError: () => {},
    openTemporal: () => expect.unreachable(),
    openAll: () => expect.unreachable(),
  });
  keys = parseEnv(lines.join('\n')) as Names;
});

/** Fills in `${NAME:?}`, as docker compose does with an env file. */
const filledIn = (environment: Names = {}): Names =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(
        /\$\{(\w+):\?\}/g,
        (_, key: string) => keys[key] ?? expect.unreachable(`${key} is not made`),
      ),
    ]),
  );

describe('compose.yaml', () => {
  it('has the whole topology', () => {
    const others = ['postgres', 'temporal-postgres', 'temporal', 'temporal-ui', 'simulator'];
    const around = ['balancer', 'prometheus'];
    expect(Object.keys(services).toSorted()).toEqual(
      [...Object.keys(programs), ...others, ...around].toSorted(),
    );
    expect(own.map(([name]) => name).toSorted()).toEqual(Object.keys(programs).toSorted());
  });

  it.each(Object.entries(programs))('%s gets settings that it knows and accepts', (name, schema) => {
    const environment = filledIn(services[name]!.environment);
    expect(unknownTo(schema, Object.keys(environment))).toEqual(name === 'operator' ? ['NODE_ENV'] : []);
    expect(() => readConfig(schema, environment, () => expect.unreachable())).not.toThrow();
  });

  it('the simulator accepts its settings, and listens where the processes look for it', () => {
    const { host, port } = readSimulatorSettings(filledIn(services['simulator']!.environment));
    expect([host, `http://simulator:${port}`]).toEqual([
      '0.0.0.0',
      services['worker1']!.environment!['PG_BASE_URL'],
    ]);
  });

  it('gives the processes time to stop', () => {
    const grace = (name: string) => 1_000 * Number(/^(\d+)s$/.exec(services[name]!.stop_grace_period!)![1]);
    const delay = Number(services['api1']!.environment!['SHUTDOWN_DELAY_MS']);
    for (const name of ['api1', 'api2']) expect(grace(name)).toBeGreaterThan(delay + connectionLimits.drain);
    for (const name of ['worker1', 'worker2']) expect(grace(name)).toBeGreaterThan(maxWorkerDrain);
  });

  it('the balancer asks the APIs at their port, and notices a stop before the port closes', () => {
    const {
      PORT: port,
      SHUTDOWN_DELAY_MS: delay,
      KEEP_ALIVE_MS: keepAlive = 75_000,
    } = services['api1']!.environment!;
    expect([...balancer.matchAll(/server (\w+) \1:(\d+)/g)].map(([, ...found]) => found)).toEqual([
      ['api1', port],
      ['api2', port],
    ]);
    expect(balancer).toContain('httpchk GET /readyz');
    const [, interval, failures] = /check inter (\d+)s fall (\d+)/.exec(balancer)!;
    const [, timeout] = /timeout check (\d+)s/.exec(balancer)!;
    expect(1_000 * (Number(interval) * Number(failures) + Number(timeout))).toBeLessThan(Number(delay));
    const [, idle] = /timeout http-keep-alive (\d+)s/.exec(balancer)!;
    expect(1_000 * Number(idle)).toBeLessThan(Number(keepAlive));
  });

  it('Prometheus asks every process for its metrics', () => {
    const { scrape_configs: jobs } = parse(read('deploy/compose/prometheus.yaml')) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    const targets = jobs.flatMap(({ static_configs: configs }) => configs.flatMap(({ targets: all }) => all));
    const served = own.flatMap(([name, { environment = {} }]) =>
      ['METRICS_PORT', 'TEMPORAL_METRICS_PORT'].flatMap((port) =>
        environment[port] === undefined ? [] : [`${name}:${environment[port]}`],
      ),
    );
    expect(targets.toSorted()).toEqual(served.toSorted());
  });

  it('publishes ports on this machine only', () => {
    const ports = Object.values(services).flatMap(({ ports: published = [] }) => published);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });
});

describe('the chart', () => {
  const ofProcess = { api: apiConfigSchema, worker: workerConfigSchema };
  /** As the chart passes them, with everything filled in that an operator must fill in. */
  const settingsOf = (name: 'api' | 'worker'): Names => {
    const { settings, secretSettings } = values[name];
    const examples: Names = {
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      TEMPORAL_NAMESPACE: 'registrations',
      DATABASE_URL: 'postgres://registration_service:password@db.example/registrations?sslmode=verify-full',
    };
    const given = Object.entries({ ...values.settings, ...settings }).map(
      ([setting, value]) => [setting, value || (examples[setting] ?? 'https://system.example')] as const,
    );
    const secrets = secretSettings.map(
      (setting) => [setting, examples[setting] ?? keys[setting] ?? expect.unreachable(setting)] as const,
    );
    return { ...Object.fromEntries([...given, ...secrets]), METRICS_HOST: '10.0.0.1' };
  };

  it.each(['api', 'worker'] as const)(
    '%s gets settings that it knows, and starts with in production',
    async (name) => {
      const settings = settingsOf(name);
      expect(unknownTo(ofProcess[name], Object.keys(settings))).toEqual([]);
      const config = readConfig<ZodObject>(ofProcess[name], settings, () => expect.unreachable());
      const temporal = {
        connectionOptions: {
          address: settings['TEMPORAL_ADDRESS']!,
          tls: settings['TEMPORAL_TLS'] === 'true',
        },
      };
      await refuseUnfitSettings({ ...config, temporal } as never, () =>
        Promise.resolve({ sandboxProjects: [], dangerousRights: [] }),
      );
    },
  );

  it('the templates set no variable that no program knows', () => {
    const all = Object.assign({}, ...Object.values(programs).map(({ shape }) => shape)) as ZodObject['shape'];
    const names = Object.values(templates).flatMap((text) =>
      [...text.matchAll(/\bname: ([A-Z][A-Z_]+)|"(TEMPORAL_[A-Z_]+|DATABASE_[A-Z_]+|PAYLOAD_[A-Z_]+)"/g)].map(
        ([, name, quoted]) => name ?? quoted!,
      ),
    );
    expect(names.length).toBeGreaterThan(10);
    expect(unknownTo(apiConfigSchema.extend(all), names)).toEqual([]);
  });

  it('gives the processes time to stop, and notices a stop before the port closes', () => {
    const delay = Number(values.api.settings['SHUTDOWN_DELAY_MS']);
    expect(1_000 * values.api.terminationGracePeriodSeconds).toBeGreaterThan(delay + connectionLimits.drain);
    expect(1_000 * values.worker.terminationGracePeriodSeconds).toBeGreaterThan(maxWorkerDrain);
    const [, ...readiness] =
      /readinessProbe:\s+httpGet: .*\s+periodSeconds: (\d+)\s+timeoutSeconds: (\d+)\s+failureThreshold: (\d+)/.exec(
        templates['api.yaml']!,
      )!;
    const [period, timeout, failures] = readiness.map(Number) as [number, number, number];
    expect(1_000 * (period * failures + timeout)).toBeLessThan(delay);
  });

  it.each(['api.yaml', 'worker.yaml'])(
    'the probes of %s ask for a path that is served, at a port that is open',
    async (file) => {
      const probes = [...templates[file]!.matchAll(/httpGet: \{ path: (\S+), port: (\S+) \}/g)];
      expect(probes).toHaveLength(3);
      const ports = [...templates[file]!.matchAll(/\{ name: (\S+), containerPort: /g)].map(
        ([, name]) => name,
      );
      for (const [, path, port] of probes) {
        expect(ports).toContain(port);
        expect(await (file === 'api.yaml' ? statusOfApi(path!) : statusOfWorker(path!))).not.toBe(404);
      }
    },
  );

  it('every container is locked down, and every pod goes without a token of the cluster', () => {
    for (const file of ['api.yaml', 'worker.yaml', 'jobs.yaml']) {
      expect(templates[file]).toContain('include "registration.pod"');
      expect(templates[file]).toContain('include "registration.container"');
      expect(templates[file]).toMatch(/resources: .*\n/);
    }
    for (const line of [
      'automountServiceAccountToken: false',
      'runAsNonRoot: true',
      'readOnlyRootFilesystem: true',
      'allowPrivilegeEscalation: false',
      'capabilities: { drop: [ALL] }',
    ]) {
      expect(templates['_process.tpl']).toContain(line);
    }
  });
});

async function statusOfApi(path: string): Promise<number> {
  const { status } = await createWaitingApp().request(path);
  return status === 503 && path !== '/readyz' ? 404 : status;
}

async function statusOfWorker(path: string): Promise<number> {
  const port = await findFreePort();
  const stop = await serveHealth({ HEALTH_PORT: port, HEALTH_HOST: '127.0.0.1' }, () => Promise.resolve([]));
  const { status } = await fetch(`http://127.0.0.1:${port}${path}`);
  stop();
  return status;
}

describe('the image', () => {
  it('of every service is pinned to an exact version', () => {
    const pinned = /^[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w.]+)?(@sha256:[0-9a-f]{64})?$/;
    const images = Object.values(services).map(({ image }) => image);
    expect(images.filter((image) => !pinned.test(image))).toEqual([]);
    const bases = [...dockerfile.matchAll(/^FROM (\S+:\S+)/gm)].map(([, image]) => image!);
    expect(bases).toHaveLength(1);
    expect(bases[0]).toMatch(/^node:22\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64}$/);
  });

  it('has the version of the service in compose.yaml and in the chart', () => {
    expect(own.map(([, { image }]) => image.split(':')[1])).toEqual(own.map(() => version));
    expect(parse(read(`${chart}/Chart.yaml`))).toMatchObject({ appVersion: version });
  });

  it('runs node itself, as a user without rights, on a file system that it cannot write to', () => {
    const [, service] = dockerfile.split(' AS service\n');
    expect(service).toMatch(/^USER 1000:1000$/m);
    expect(service).toMatch(/^CMD \["node", "dist\/api\/main\.js"\]$/m);
    expect(service).not.toMatch(/^(RUN|ENTRYPOINT) |COPY (?!--from)/m);
    for (const [name, { read_only: isReadOnly, entrypoint = [], command = [] }] of own) {
      const [program] = [...entrypoint, ...command];
      expect({ name, isReadOnly, program }).toEqual({ name, isReadOnly: true, program: 'node' });
    }
  });

  it('is checked at the port of the API, or of the worker’s health', () => {
    const [, service] = dockerfile.split(' AS service\n');
    expect(service).toMatch(/HEALTHCHECK [^]*HEALTH_PORT \?\? process\.env\.PORT \?\? 3000\}\/healthz/);
  });

  it('is built without secrets, history and installed packages', () => {
    expect(read('.dockerignore').split('\n')).toEqual(
      expect.arrayContaining(['.git', '**/node_modules', 'dist', 'data', 'keys', 'keys.env']),
    );
  });
});
