import ipaddr from 'ipaddr.js';
import { ConfigurationError } from '../runtime/config.ts';

/** The prefix of the key IDs and secrets that a sandbox creates, so that production recognises them. */
export const sandboxMark = 'sandbox';

/** Minimum length of secrets in production, in characters. */
const minSecretLength = 32;

/** The settings that can reveal a sandbox. */
export interface GuardedSettings {
  readonly NODE_ENV?: string | undefined;
  readonly LOG_LEVEL: string;
  readonly DATABASE_KEYS: string;
  readonly PAYLOAD_KEYS: string;
  readonly PG_BASE_URL: string;
  readonly PG_CALLBACK_URL: string;
  readonly PG_SHARED_SECRET: string;
  readonly CODEC_ALLOWED_ORIGIN?: string;
  readonly CODEC_TOKEN?: string;
  readonly OPERATOR_TOKEN?: string;
  /** Undefined where members may be called at any hour. */
  readonly CALLING_HOURS?: object | undefined;
}

/**
 * Refuses settings and data of a sandbox if NODE_ENV is `production`.
 * @param findSandboxProjects finds the ASP IDs of a sandbox's projects in the database
 * @throws {ConfigurationError} with every reason at once; it never shows values
 * @throws what `findSandboxProjects` throws, if no setting is refused: an unreachable database may hold a sandbox's data
 */
export async function refuseSandboxDefaults(
  settings: GuardedSettings,
  findSandboxProjects: () => Promise<readonly string[]>,
): Promise<void> {
  if (settings.NODE_ENV !== 'production') return;
  const traces = sandboxTraces(settings);
  const sandboxProjects = await findSandboxProjects().catch((error: unknown) => {
    if (traces.length === 0) throw error;
    return [];
  });
  const reasons = [
    ...traces,
    ...(sandboxProjects.length > 0
      ? [`DATABASE_URL: the database holds the sandbox's projects (${sandboxProjects.join(', ')}).`]
      : []),
  ];
  if (reasons.length === 0) return;
  throw new ConfigurationError(
    `These settings are not allowed in production (NODE_ENV):\n${reasons.map((reason) => `  ${reason}`).join('\n')}`,
  );
}

function sandboxTraces(settings: GuardedSettings): string[] {
  const reasons: string[] = [];
  const refuseIf = (isWrong: boolean, reason: string) => isWrong && reasons.push(reason);

  for (const name of ['DATABASE_KEYS', 'PAYLOAD_KEYS'] as const) {
    const isOfSandbox = settings[name].split(',').some((key) => key.trim().startsWith(sandboxMark));
    refuseIf(isOfSandbox, `${name}: a key was made by a sandbox.`);
  }
  for (const name of ['PG_BASE_URL', 'PG_CALLBACK_URL', 'CODEC_ALLOWED_ORIGIN'] as const) {
    const value = settings[name];
    if (value === undefined) continue;
    const { protocol, hostname } = new URL(value);
    refuseIf(protocol !== 'https:', `${name}: it must begin with https://.`);
    refuseIf(isThisMachine(hostname), `${name}: it points to this machine.`);
  }
  for (const name of ['PG_SHARED_SECRET', 'CODEC_TOKEN', 'OPERATOR_TOKEN'] as const) {
    const secrets = settings[name]?.split(',') ?? [];
    const isShort = secrets.some(({ length }) => length < minSecretLength);
    refuseIf(isShort, `${name}: a secret has fewer than ${minSecretLength} characters.`);
    refuseIf(
      secrets.some((secret) => secret.startsWith(sandboxMark)),
      `${name}: a secret was made by a sandbox.`,
    );
  }
  const callsAtNight = 'CALLING_HOURS' in settings && settings.CALLING_HOURS === undefined;
  refuseIf(callsAtNight, 'CALLING_HOURS: members must not be called at night.');
  const isVerbose = ['debug', 'trace'].includes(settings.LOG_LEVEL);
  refuseIf(isVerbose, 'LOG_LEVEL: debug and trace are for development.');
  return reasons;
}

function isThisMachine(hostname: string): boolean {
  const literal = hostname.replace(/^\[|\]$/g, '');
  if (!ipaddr.isValid(literal)) return literal === 'localhost' || literal.endsWith('.localhost');
  return ['loopback', 'unspecified'].includes(ipaddr.process(literal).range());
}
