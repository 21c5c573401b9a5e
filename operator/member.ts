import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isLosslessNumber, parse } from 'lossless-json';
import { z } from 'zod';
import { registerAccount } from '../wire/bank-account-operations.ts';
import { phoneNumber } from '../wire/phone-number.ts';
import { removalWorkflowId } from '../contract/registration.ts';
import type { Database } from '../database/database.ts';
import type { Erasure } from '../database/members.ts';
import { destroyErasedKeys } from '../database/vacuum.ts';
import type { DestroyedKeys } from '../database/vacuum.ts';
import { UsageError } from '../command-line/command-line.ts';
import { readAspId } from './options.ts';
import type { OptionValues } from './options.ts';
import type { CommandContext } from './command.ts';
import { noSuchProject } from './project.ts';
import { readTextFile } from './read-file.ts';
import { Refused } from './refused.ts';
import { operatorCommand } from '../runtime/operator-command.ts';

const { userId, userName, birthDate } = registerAccount.request.shape;
const memberSchema = z.strictObject({ userId, userName, birthDate, mobileNumber: phoneNumber });

type NewMember = z.output<typeof memberSchema>;

/** The maximum number of bad lines in a message. */
const maxProblems = 10;

/** Adds members of a service provider: all members of a file, or none. */
export function addMembers(values: OptionValues) {
  const aspId = readAspId(values);
  const { file = '' } = values;

  return async ({ act, stores, print }: CommandContext): Promise<void> => {
    const lines = readLines(await readTextFile(file), file);
    if (!(await stores.projects.find(aspId))) throw noSuchProject(aspId);
    const known = await stores.members.findKnown(lines.map(({ member }) => member.userId));
    refuseBadLines(
      file,
      lines.flatMap(({ number, member }) => {
        const there = known.get(member.userId);
        if (there && there.aspId !== aspId) return [`line ${number} (a member of another service provider)`];
        if (there?.isErased) return [`line ${number} (an erased member; its ID cannot be used again)`];
        return [];
      }),
    );
    const kept = known.size;
    const userIds = lines.map(({ member }) => member.userId);
    const sha256 = createHash('sha256').update(userIds.join('\n')).digest('hex');
    await act({ aspId, details: { added: lines.length - kept, kept, userIdsSha256: sha256 } }, (acting) =>
      acting.members.add(
        aspId,
        lines.map(({ member }) => member),
      ),
    );
    print(`Members of ${aspId} added: ${lines.length - kept}; already present and unchanged: ${kept}.`);
  };
}

/** Destroys a member's key, so that none of the member's personal data can be decrypted again. */
export function eraseMember(values: OptionValues) {
  const aspId = readAspId(values);
  const { user = '', reason = '' } = values;
  if (!memberSchema.shape.userId.safeParse(user).success) throw new UsageError('--user must be a member ID.');
  const beforeRetentionEnds = values['before-retention-ends'] === true;
  const about = { aspId, userId: user, details: { beforeRetentionEnds } };

  return async ({ act, actor, requireSecondPerson, database, print }: CommandContext): Promise<void> => {
    if (beforeRetentionEnds) await requireSecondPerson('erasure', about);
    await act(about, async (acting) => {
      const decision = { operator: actor.name, reason, beforeRetentionEnds };
      const erasure = await acting.members.erase(aspId, user, decision);
      if (erasure.state !== 'ERASED') throw new Refused(`${refusal(user)} ${obstacle(aspId, erasure)}`);
    });
    print(`Member ${user} of ${aspId} is erased permanently; inquiries by registration number still work.`);
    const { left } = await destroyKeys(database);
    print(
      left === 0
        ? "The member's key is in no file of the database any more. Backups and the write-ahead log keep it until they expire."
        : "The table of keys is in use, or an open transaction such as a backup may still read it: the files of the database hold the member's key until the API removes it, which it tries every hour.",
    );
  };
}

/** In three tries: what uses the table for a moment must not leave a key there for an hour. */
async function destroyKeys(database: Database): Promise<DestroyedKeys> {
  for (let tries = 1; ; tries++) {
    const keys = await destroyErasedKeys(database);
    if (keys.left === 0 || tries === 3) return keys;
    await delay(1_000);
  }
}

const waitForOperation = `Wait until it ends, or check whether it waits for an operator: ${operatorCommand('reviews')}`;

function refusal(user: string): string {
  return `Member ${user} was not erased:`;
}

/** Why a member was not erased, and what to do next. */
function obstacle(aspId: string, erasure: Exclude<Erasure, { readonly state: 'ERASED' }>): string {
  switch (erasure.state) {
    case 'NOT_FOUND':
      return `${aspId} has no such member, or it is already erased. Check --asp and --user.`;
    case 'BEING_REGISTERED':
      return `the member is being registered. ${waitForOperation}`;
    case 'HAS_ACCOUNT':
      return `account ${erasure.registrationNumber} is in use. The service provider must delete it first with /bankaccounts/delete.`;
    case 'AWAITS_REMOVAL':
      return `account ${erasure.registrationNumber} is not yet removed at the payment gateway. Repeat the command when the workflow ${removalWorkflowId(erasure.registrationNumber)} has ended.`;
    case 'HELD':
      return `the evidence of ${erasure.registrationNumber} is under legal hold. See: ${operatorCommand('evidence list-holds')}`;
    case 'TO_BE_KEPT':
    default:
      return `the law requires the member's evidence ${describePeriod(erasure.until)}. Repeat the command after that. If another law requires erasure earlier, add --before-retention-ends.`;
  }
}

function describePeriod(until: Date | null): string {
  return until
    ? `until ${until.toISOString().slice(0, 10)}`
    : 'because a registration with evidence never ended';
}

interface Line {
  readonly number: number;
  readonly member: NewMember;
}

function readLines(text: string, file: string): Line[] {
  const lines: Line[] = [];
  const problems: string[] = [];
  const userIds = new Set<string>();
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    if (content.trim() === '') continue;
    const number = index + 1;
    const result = memberSchema.safeParse(parseLine(content));
    if (!result.success) problems.push(`line ${number} (${describeProblem(result.error)})`);
    else if (userIds.has(result.data.userId))
      problems.push(`line ${number} (a userId that an earlier line has)`);
    else {
      userIds.add(result.data.userId);
      lines.push({ number, member: result.data });
    }
  }
  refuseBadLines(file, problems);
  if (lines.length === 0) throw new Refused(`${file} has no members, so nothing was added.`);
  return lines;
}

/** The content of a line with every digit of `userId`; undefined when it is not JSON. */
function parseLine(line: string): unknown {
  try {
    return parse(line, (key, value) => (isLosslessNumber(value) && key === 'userId' ? value.value : value));
  } catch {
    // The error message would quote the line.
    return undefined;
  }
}

/** Names the invalid fields. Contents and unknown field names may be personal data, so they are not shown. */
function describeProblem({ issues }: z.ZodError): string {
  const fields = Object.keys(memberSchema.shape).filter((field) =>
    issues.some(({ path }) => path[0] === field),
  );
  if (fields.length > 0) return fields.join(', ');
  const hasUnknownField = issues.some(({ code }) => code === 'unrecognized_keys');
  return hasUnknownField ? 'an unknown field' : 'not a JSON object';
}

function refuseBadLines(file: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const named = problems.slice(0, maxProblems).join('; ');
  const more = problems.length > maxProblems ? `; ${problems.length - maxProblems} more` : '';
  throw new Refused(
    `Nothing was added, because ${file} is invalid at ${named}${more}. Correct it, then repeat the command.`,
  );
}
