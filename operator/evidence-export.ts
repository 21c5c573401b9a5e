import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bankNameOf } from '../wire/bank-codes.ts';
import { consentScript } from '../contract/consent-scripts.ts';
import { maskAccountNumber, maskName } from '../wire/masking.ts';
import { PersonalDataErased } from '../database/personal-data-erased.ts';
import { verifyEvidence } from '../database/evidence-verification.ts';
import type { Stores } from '../database/stores.ts';
import { readRegistrationNumber } from './options.ts';
import type { OptionValues } from './options.ts';
import type { CommandContext } from './command.ts';
import { createDirectory } from './new-directory.ts';
import { Refused } from './refused.ts';
import { operatorCommand } from '../runtime/operator-command.ts';

/** Writes the evidence of a registration, and what an auditor needs to check it, into a new directory. */
export function exportEvidence(values: OptionValues) {
  const registrationNumber = readRegistrationNumber(values);
  const { directory = '' } = values;

  return async ({ act, requireSecondPerson, stores, print }: CommandContext): Promise<void> => {
    const files = await collectFiles(stores, registrationNumber);
    await requireSecondPerson('export', { registrationNumber });
    await createDirectory(directory);
    // Entered before a voice leaves the house.
    await act({ registrationNumber, details: { directory } }, async () => {});
    const sums = Object.entries(files).map(([name, content]) => `${sha256(content)}  ${name}\n`);
    for (const [name, content] of Object.entries({ ...files, SHA256SUMS: sums.join('') })) {
      await writeFile(join(directory, name), content, { mode: 0o600, flag: 'wx' });
    }
    print(
      `The evidence of ${registrationNumber} is in ${directory}. It contains the member's voice: hand it over encrypted.`,
    );
  };
}

/** The files to write, by name. @throws {Refused} when the evidence is missing or broken */
async function collectFiles(
  stores: Stores,
  registrationNumber: string,
): Promise<Record<string, Buffer | string>> {
  for await (const finding of verifyEvidence(stores, registrationNumber)) {
    if (finding.state !== 'BROKEN') continue;
    throw new Refused(
      `The evidence of ${registrationNumber} is broken: ${finding.problem}. Restore it first; see: ${operatorCommand('evidence verify')}`,
    );
  }
  const evidence = await stores.consentEvidence.find(registrationNumber);
  if (!evidence) {
    throw new Refused(
      `Registration ${registrationNumber} has no evidence: no call was recorded, its retention period has ended, or the registration does not exist. Check --number.`,
    );
  }
  const { member, details, bankCode, ...registration } = await open(stores, registrationNumber);
  const account = (await stores.accounts.listOf(member.userId)).find(
    (candidate) => candidate.registrationNumber === registrationNumber,
  );
  const recordingName = `recording.${evidence.format}`;
  const manifest = {
    registration: {
      registrationNumber,
      serviceProvider: registration.aspId,
      memberId: member.userId,
      status: registration.status,
      resultCode: registration.resultCode,
      createdAt: registration.createdAt,
      endedAt: registration.endedAt,
    },
    account: {
      bankCode,
      bankName: bankNameOf(bankCode),
      accountNumber: maskAccountNumber(details.accountNumber),
      holder: maskName(details.holderName),
      state: account?.state ?? 'NEVER_REGISTERED',
      activatedAt: account?.activatedAt ?? null,
      retiredAt: account?.retiredAt ?? null,
      removedAt: account?.removedAt ?? null,
    },
    evidence: {
      file: recordingName,
      kind: 'ARS',
      callId: evidence.callId,
      call: evidence.attempt,
      format: evidence.format,
      bytes: evidence.bytes,
      durationMs: evidence.durationMs,
      sha256: evidence.sha256,
      storedAt: evidence.storedAt,
    },
    script: { version: evidence.scriptVersion, text: consentScript(evidence.scriptVersion) },
    timeline: registration.timeline ?? [],
    legalHolds: await stores.legalHolds.listOf(registrationNumber),
  };
  return {
    [recordingName]: await stores.consentEvidence.openRecording(member.cipher, registrationNumber),
    'manifest.json': `${JSON.stringify(manifest, null, 2)}\n`,
    README: describeFiles(registrationNumber, recordingName, evidence.sha256!),
  };
}

async function open(stores: Stores, registrationNumber: string) {
  try {
    return await stores.registrations.openAny(registrationNumber);
  } catch (error) {
    if (!(error instanceof PersonalDataErased)) throw error;
    throw new Refused(`${error.message} Its evidence can never be decrypted again.`, { cause: error });
  }
}

function describeFiles(registrationNumber: string, recordingName: string, digest: string): string {
  return `Evidence of consent to the registration ${registrationNumber}

${recordingName.padEnd(15)} the automated call (ARS) in which the member consented, as the payment gateway recorded it
manifest.json   times and result of the registration, the account (masked), the call, and the text read out
SHA256SUMS      checksums of these files

Check their integrity in this directory:

  sha256sum -c SHA256SUMS

The recording's SHA-256 was computed when it was fetched, before the account was registered. The registration sent it to
the payment gateway, whose records must contain the same value:

  ${digest}

Times are in UTC. The stored evidence was verified before this export.
`;
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
