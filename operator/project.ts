import { createHash, createPublicKey } from 'node:crypto';
import { DiscardedError, hashAccessKey } from '../database/projects.ts';
import type { NewKeys } from '../database/projects.ts';
import { createProjectKeys } from '../encryption/project-keys.ts';
import { readAspId, readChoice } from './options.ts';
import type { OptionValues } from './options.ts';
import type { CommandContext } from './command.ts';
import { readTextFile } from './read-file.ts';
import { Refused } from './refused.ts';
import { operatorCommand } from '../runtime/operator-command.ts';

/** Adds a service provider's project, and prints its keys once. */
export function addProject(values: OptionValues) {
  const aspId = readAspId(values);
  const file = values['client-public-key'] ?? '';
  const rules = {
    demandsEncryption: !values['plain-allowed'],
    comparesMember: !values['any-holder'],
    acceptsAllInstitutions: values['all-institutions'] === true,
  };

  return async ({ act, print, reportProgress }: CommandContext): Promise<void> => {
    const clientPublicKey = readPublicKey(await readTextFile(file), file);
    const { serverPublicKey, ...keys } = await createProjectKeys();
    const about = { aspId, details: { ...rules, ...describeKeys(keys, clientPublicKey) } };
    await act(about, async (acting) => {
      if (await acting.projects.add({ aspId, ...rules, ...keys, clientPublicKey })) return;
      throw new Refused(`Project ${aspId} already exists and is unchanged. Choose another ASP ID.`);
    });
    const { accessKey, secretKey, cryptoKeyId } = keys;
    print(JSON.stringify({ aspId, accessKey, secretKey, cryptoKeyId, serverPublicKey }, null, 2));
    if (!rules.demandsEncryption) reportProgress(`Project ${aspId} accepts plain bodies. ${plainBodies}`);
  };
}

const plainBodies =
  'Whoever copies such a request can read it and send it again with new times, also to another operation with the same body: an info request deletes the account.';

/** Issues a second set of keys, and prints it once. */
export function renewProjectKeys(values: OptionValues) {
  const aspId = readAspId(values);
  const file = values['client-public-key'] ?? '';

  return async ({ act, print }: CommandContext): Promise<void> => {
    const clientPublicKey = readPublicKey(await readTextFile(file), file);
    const { serverPublicKey, ...keys } = await createProjectKeys();
    await act({ aspId, details: describeKeys(keys, clientPublicKey) }, async (acting) => {
      if (await acting.projects.renewKeys(aspId, { ...keys, clientPublicKey })) return;
      throw new Refused(
        `Project ${aspId} does not exist, or already has two sets of keys. Check --asp, or finish the previous rotation: ${operatorCommand('project retire-keys')}`,
      );
    });
    const { accessKey, secretKey, cryptoKeyId } = keys;
    print(JSON.stringify({ aspId, accessKey, secretKey, cryptoKeyId, serverPublicKey }, null, 2));
  };
}

/** Discards all keys of a project except the latest set. */
export function retireProjectKeys(values: OptionValues) {
  const aspId = readAspId(values);

  return async ({ act, print }: CommandContext): Promise<void> => {
    await act({ aspId }, async (acting) => {
      if (await acting.projects.retireKeys(aspId)) return;
      throw new Refused(
        `Project ${aspId} does not exist, or has only one set of keys. Issue the next set first: ${operatorCommand('project renew-keys')}`,
      );
    });
    print(`The older keys of project ${aspId} are discarded; running processes apply this within a second.`);
  };
}

/** Activates, deactivates or discards a project. */
export function setProjectState(values: OptionValues) {
  const aspId = readAspId(values);
  const state = readChoice(values, 'state', ['ACTIVE', 'INACTIVE', 'DISCARDED']);

  return async ({ act, print }: CommandContext): Promise<void> => {
    await act({ aspId, details: { state } }, async (acting) => {
      const isKnown = await acting.projects.setState(aspId, state).catch((error: unknown) => {
        if (!(error instanceof DiscardedError)) throw error;
        throw new Refused(`${error.message} Add a new project instead.`, { cause: error });
      });
      if (!isKnown) throw noSuchProject(aspId);
    });
    print(`Project ${aspId} is ${state}; running processes apply this within a second.`);
  };
}

/** Sets whether a project registers accounts at banks only. */
export function setAcceptedInstitutions(values: OptionValues) {
  const aspId = readAspId(values);
  const accepted = readChoice(values, 'accepted', ['BANKS', 'ALL']);

  return async ({ act, print }: CommandContext): Promise<void> => {
    await act({ aspId, details: { accepted } }, async (acting) => {
      if (!(await acting.projects.setAcceptsAllInstitutions(aspId, accepted === 'ALL')))
        throw noSuchProject(aspId);
    });
    const places = accepted === 'ALL' ? 'all institutions' : 'banks only';
    print(`Project ${aspId} registers accounts at ${places}; running processes apply this within a second.`);
  };
}

/** The refusal for an unknown ASP ID. */
export function noSuchProject(aspId: string): Refused {
  return new Refused(
    `There is no project ${aspId}. Check --asp, or add it: ${operatorCommand('project add')}`,
  );
}

/** What the audit trail says of new keys: enough to recognise them, nothing to use. */
function describeKeys(
  { accessKey, cryptoKeyId }: Pick<NewKeys, 'accessKey' | 'cryptoKeyId'>,
  publicKey: string,
) {
  const clientPublicKeySha256 = createHash('sha256').update(publicKey).digest('hex');
  return { accessKeySha256: hashAccessKey(accessKey), cryptoKeyId, clientPublicKeySha256 };
}

/** Converts a client's public key from any PEM form into the stored one. */
function readPublicKey(text: string, file: string): string {
  if (text.includes('PRIVATE KEY')) {
    throw new Refused(
      `${file} contains a private key, which must stay with its owner. Ask the service provider for a new key pair and its public key only.`,
    );
  }
  try {
    const key = createPublicKey(text);
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (key.asymmetricKeyType === 'rsa' && bits >= 2_048) {
      return key.export({ type: 'spki', format: 'pem' }).toString();
    }
  } catch {
    // Refused below.
  }
  throw new Refused(
    `${file} has no RSA public key of at least 2048 bits in PEM. Ask the service provider for one.`,
  );
}
