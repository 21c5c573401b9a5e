import type { Hono } from 'hono';
import {
  cancelRegistration as cancelRegistrationOperation,
  getTimeline,
  inquireRegistration,
  listRegistrations,
  registerAccount,
} from '../../wire/bank-account-operations.ts';
import { isBankCode } from '../../wire/bank-codes.ts';
import { timelineLabels } from '../../wire/timeline.ts';
import type { Project } from '../../database/projects.ts';
import type { ListedRegistration, RegistrationRecord } from '../../database/registrations.ts';
import type { Api } from '../context.ts';
import { LatestRegistrations } from '../registrations/latest-registrations.ts';
import { serve } from '../http/operation.ts';
import type { OperationParts } from '../http/operation.ts';
import { Refusal } from '../http/refusal.ts';
import {
  cancelRegistration,
  readStatus,
  readTimeline,
  startRegistration,
} from '../registrations/registrations.ts';
import { codes } from '../../wire/result-codes.ts';

const defaultPageSize = 20;

/** The endpoints of registrations: `/bankaccounts/ars/register` and below. */
export function serveRegistrations(app: Hono<Api>, parts: OperationParts): void {
  const { stores } = parts;
  const latestRegistrations = new LatestRegistrations();

  serve(app, parts, registerAccount, (request, { project, arrival }) =>
    startRegistration({ ...parts, latestRegistrations }, project.aspId, request, arrival),
  );

  serve(app, parts, inquireRegistration, async ({ regNo }, { project }) => {
    const { status, resultCode } = await readStatus(parts, await requireRegistration(project, regNo));
    if (resultCode === null || resultCode === codes.SUCCESS) return { status };
    throw new Refusal(resultCode, { payload: { status } });
  });

  serve(app, parts, cancelRegistrationOperation, async ({ regNo }, { project }) => {
    await cancelRegistration(parts, await requireRegistration(project, regNo));
    return {};
  });

  serve(app, parts, getTimeline, async ({ regNo }, { project }) => {
    const timeline = await readTimeline(parts, await requireRegistration(project, regNo));
    return { steps: timeline.map((entry) => ({ ...entry, ...timelineLabels[entry.step] })) };
  });

  serve(
    app,
    parts,
    listRegistrations,
    async ({ status, from, to, cursor, limit = defaultPageSize }, { project }) => {
      const filter = { status, from: from ? new Date(from) : undefined, to: to ? new Date(to) : undefined };
      const records = await stores.registrations.list(project.aspId, { ...filter, before: cursor, limit });
      const last = records.length === limit ? records.at(-1) : undefined;
      return { registrations: records.map(listed), ...(last && { nextCursor: last.registrationNumber }) };
    },
  );

  async function requireRegistration({ aspId }: Project, regNo: string): Promise<RegistrationRecord> {
    const record = await stores.registrations.find(aspId, regNo);
    if (!record) throw new Refusal(codes.REGISTRATION_NOT_FOUND);
    return record;
  }
}

function listed({
  registrationNumber,
  userId,
  bankCode,
  status,
  resultCode,
  createdAt,
  endedAt,
}: ListedRegistration) {
  if (!isBankCode(bankCode)) throw new Error(`Registration ${registrationNumber} is at no known bank.`);
  return {
    bankAccRegNo: registrationNumber,
    userId,
    bankCode,
    status,
    ...(resultCode && { code: resultCode }),
    createdAt: createdAt.toISOString(),
    ...(endedAt && { endedAt: endedAt.toISOString() }),
  };
}
