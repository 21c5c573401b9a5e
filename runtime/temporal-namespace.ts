import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionLike } from '@temporalio/client';
import proto from '@temporalio/proto';
import { searchAttributeNames } from '../contract/search-attributes.ts';
import { ConfigurationError } from './config.ts';
import { grpcStatus } from './error-code.ts';
import { operatorCommand } from './operator-command.ts';

/** The smallest retention of runs, in days: a result notification is delivered for three days. */
export const minRetentionDays = 3;

/** INDEXED_VALUE_TYPE_KEYWORD in Temporal's API. */
const keywordType = 2;
/** gRPC statuses. */
const [notFound, permissionDenied, unimplemented] = [5, 7, 12];
/** How long a new namespace may take to become usable, in ms. */
const setUpTimeout = 60_000;

/**
 * Refuses a namespace that does not exist, and one in which a search attribute is missing or of another type: a run
 * could not end there. Where Temporal does not let search attributes be listed, they are not checked.
 * @param timeout how long Temporal may take to answer, in ms
 * @throws {ConfigurationError} with the command that mends it
 */
export async function requireNamespace(
  connection: ConnectionLike,
  namespace: string,
  timeout = 5_000,
): Promise<void> {
  await connection.withDeadline(Date.now() + timeout, async () => {
    if (!(await findNamespace(connection, namespace))) {
      throw new ConfigurationError(
        `TEMPORAL_NAMESPACE: Temporal has no namespace ${namespace}. Create it: ${operatorCommand('setup')}`,
      );
    }
    const types = await listSearchAttributes(connection, namespace).catch((error: unknown) => {
      if (isForbidden(error)) return undefined;
      throw error;
    });
    if (types) requireSearchAttributes(types, namespace);
  });
}

/** Whether Temporal lets us not do this, or does it in another way, as Temporal Cloud does. */
export function isForbidden(error: unknown): boolean {
  return [permissionDenied, unimplemented].includes(grpcStatus(error) ?? 0);
}

/** How many days a namespace keeps ended runs; 0 if there is none. */
export async function findRetentionDays(connection: ConnectionLike, namespace: string): Promise<number> {
  const found = await findNamespace(connection, namespace);
  return (found?.config?.workflowExecutionRetentionTtl?.seconds?.toNumber() ?? 0) / (24 * 60 * 60);
}

function requireSearchAttributes(types: Readonly<Record<string, number>>, namespace: string): void {
  const ofOtherType = searchAttributeNames.filter((name) => (types[name] ?? keywordType) !== keywordType);
  if (ofOtherType.length > 0) {
    const names = ofOtherType.map((name) => `--name ${name}`).join(' ');
    throw new ConfigurationError(
      `TEMPORAL_NAMESPACE: search attributes of the namespace ${namespace} are not of the type Keyword: ${ofOtherType.join(', ')}. Replace them: temporal operator search-attribute remove --namespace ${namespace} ${names} --yes && ${operatorCommand('setup')}`,
    );
  }
  const missing = searchAttributeNames.filter((name) => !(name in types));
  if (missing.length > 0) {
    throw new ConfigurationError(
      `TEMPORAL_NAMESPACE: the namespace ${namespace} lacks search attributes: ${missing.join(', ')}. Add them: ${operatorCommand('setup')}`,
    );
  }
}

/**
 * Creates a namespace, or extends the retention of an existing one, adds the missing search attributes, and waits until
 * they can be used. Idempotent.
 * @param retentionDays how long ended runs are kept; a longer retention is left as it is
 * @throws {ConfigurationError} when a search attribute is of another type
 */
export async function setUpNamespace(
  connection: ConnectionLike,
  namespace: string,
  retentionDays: number,
): Promise<void> {
  const { workflowService } = connection;
  const seconds = retentionDays * 24 * 60 * 60;
  const retention = proto.google.protobuf.Duration.fromObject({ seconds });
  const existing = await findNamespace(connection, namespace);
  if (!existing) {
    await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention });
  } else if ((existing.config?.workflowExecutionRetentionTtl?.seconds?.toNumber() ?? 0) < seconds) {
    await workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: retention },
    });
  }
  const deadline = Date.now() + setUpTimeout;
  for (;;) {
    try {
      await addMissingSearchAttributes(connection, namespace);
      return await requireNamespace(connection, namespace);
    } catch (error) {
      // A server takes some seconds to notice a new namespace.
      const isNew = grpcStatus(error) === notFound;
      if (!isNew || Date.now() > deadline) throw error;
    }
    await delay(500);
  }
}

/** Adds search attributes of the type Keyword to a namespace. */
export async function addMissingSearchAttributes(
  connection: ConnectionLike,
  namespace: string,
  names: readonly string[] = searchAttributeNames,
): Promise<void> {
  const types = await listSearchAttributes(connection, namespace);
  const missing = names.filter((name) => !(name in types));
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, keywordType]));
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
}

async function findNamespace({ workflowService }: ConnectionLike, namespace: string) {
  try {
    return await workflowService.describeNamespace({ namespace });
  } catch (error) {
    if (grpcStatus(error) === notFound) return undefined;
    throw error;
  }
}

async function listSearchAttributes(
  { operatorService }: ConnectionLike,
  namespace: string,
): Promise<Readonly<Record<string, number>>> {
  return (await operatorService.listSearchAttributes({ namespace })).customAttributes;
}
