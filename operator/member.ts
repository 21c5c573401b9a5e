import { isLosslessNumber, parse } from 'lossless-json';
import { z } from 'zod';
import { registerAccount } from '../contract/bank-account-operations.ts';
import { readAspId } from './arguments.ts';
import type { Values } from './arguments.ts';
import type { Parts } from './command.ts';
import { noSuchProject } from './project.ts';
import { readTextFile } from './read-file.ts';
import { Refused } from './refused.ts';

const { userId, userName, birthDate, mobileNumber } = registerAccount.request.shape;
const memberSchema = z.strictObject({ userId, userName, birthDate, mobileNumber: mobileNumber.unwrap() });

type NewMember = z.output<typeof memberSchema>;

/** How many bad lines are named. */
const mostProblems = 10;

/** Adds members of a service provider, all of a file or none. */
export function addMembers(values: Values) {
  const aspId = readAspId(values);
  const { file = '' } = values;

  return async ({ stores, print }: Parts): Promise<void> => {
    const lines = readLines(await readTextFile(file), file);
    if (!(await stores.projects.find(aspId))) throw noSuchProject(aspId);
    const providers = await stores.members.providersOf(lines.map(({ member }) => member.userId));
    refuseBadLines(
      file,
      lines
        .filter(({ member }) => (providers.get(member.userId) ?? aspId) !== aspId)
        .map(({ number }) => `line ${number} (the member of another service provider)`),
    );
    await stores.members.add(
      aspId,
      lines.map(({ member }) => member),
    );
    const kept = providers.size;
    print(`Members of ${aspId} added: ${lines.length - kept}; there already and kept as they are: ${kept}.`);
  };
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
    if (!result.success) problems.push(`line ${number} (${describe(result.error)})`);
    else if (userIds.has(result.data.userId)) problems.push(`line ${number} (a userId of a line above)`);
    else {
      userIds.add(result.data.userId);
      lines.push({ number, member: result.data });
    }
  }
  refuseBadLines(file, problems);
  if (lines.length === 0) throw new Refused(`${file} has no members, so nothing was added.`);
  return lines;
}

/** A line's content with every digit of `userId`; undefined when it is no JSON. */
function parseLine(line: string): unknown {
  try {
    return parse(line, (key, value) => (isLosslessNumber(value) && key === 'userId' ? value.value : value));
  } catch {
    // Its message would quote the line.
    return undefined;
  }
}

/** Names what is wrong by the fields we know; a field's content or a foreign field's name may be personal. */
function describe({ issues }: z.ZodError): string {
  const fields = Object.keys(memberSchema.shape).filter((field) =>
    issues.some(({ path }) => path[0] === field),
  );
  if (fields.length > 0) return fields.join(', ');
  const isForeign = issues.some(({ code }) => code === 'unrecognized_keys');
  return isForeign ? 'a field that no member has' : 'no JSON object';
}

function refuseBadLines(file: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const named = problems.slice(0, mostProblems).join('; ');
  const more = problems.length > mostProblems ? `; ${problems.length - mostProblems} more` : '';
  throw new Refused(
    `Nothing was added, because ${file} is wrong at ${named}${more}. Correct it, then repeat the command.`,
  );
}
