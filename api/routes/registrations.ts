import type { Hono } from 'hono';
import type { z } from 'zod';
import {
  cancelRegistration as cancelOperation,
  getTimeline,
  inquireRegistrationStatus,
  listRegistrations,
  registerAccount,
} from '../../wire/bank-account-operations.ts';
import { isBankCode } from '../../wire/bank-codes.ts';
import { failureReasonOf } from '../../wire/failure-reason.ts';
import { phoneNumber } from '../../wire/phone-number.ts';
import { codes } from '../../wire/result-codes.ts';
import { timelineLabels } from '../../wire/timeline.ts';
import type { Project } from '../../database/projects.ts';
import type { RegistrationRecord } from '../../database/registrations.ts';
import { addToCorrelation } from '../../runtime/correlation.ts';
import type { Api } from '../context.ts';
import { serve } from '../http/operation.ts';
import type { OperationParts } from '../http/operation.ts';
import { Refusal } from '../http/refusal.ts';
import { requireAcceptedBank } from '../registrations/accepted-bank.ts';
import { cancelRegistration } from '../registrations/cancel-registration.ts';
import { LatestRegistrations } from '../registrations/latest-registrations.ts';
import { requireMember } from '../registrations/member-runs.ts';
import { startRegistration } from '../registrations/start-registration.ts';

const defaultPageSize = 20;

const registerOperation = {
  ...registerAccount,
  request: registerAccount.request.extend({ mobileNumber: phoneNumber.optional() }),
};

/** The routes of registrations: `/bankaccounts/ars/register` and the paths below it. */
export function serveRegistrations(app: Hono<Api>, parts: OperationParts): void {
  const { stores } = parts;
  const latestRegistrations = new LatestRegistrations();

  serve(app, parts, registerOperation, async (request, { project, arrival, repeatable }) => {
    requireAcceptedBank(project, request.bankCode);
    const how = { arrival, repeatable };
    return await startRegistration({ ...parts, latestRegistrations }, project, request, how);
  });

  serve(app, parts, inquireRegistrationStatus, async ({ regNo }, { project }) => {
    const { status, resultCode, timeline } = await requireRegistration(project, regNo);
    if (resultCode === null || resultCode === codes.SUCCESS) return { status };
    throw new Refusal(resultCode, { payload: { status, ...failureReasonOf(resultCode, timeline) } });
  });

  serve(app, parts, cancelOperation, async ({ regNo }, { project }) => {
    await cancelRegistration(parts, await requireRegistration(project, regNo));
    return {};
  });

  serve(app, parts, getTimeline, async ({ regNo }, { project }) => {
    const { timeline } = await requireRegistration(project, regNo);
    return { steps: timeline.map((entry) => ({ ...entry, ...timelineLabels[entry.step] })) };
  });

  serve(app, parts, listRegistrations, async (request, { project }) => {
    const { limit = defaultPageSize, userId } = request;
    if (userId !== undefined) await requireMember(stores, project.aspId, userId);
    const records = await stores.registrations.list(project.aspId, { ...filterOf(request), limit });
    const last = records.length === limit ? records.at(-1) : undefined;
    return { registrations: records.map(toListed), ...(last && { nextCursor: last.registrationNumber }) };
  });

  async function requireRegistration({ aspId }: Project, regNo: string): Promise<RegistrationRecord> {
    const record = await stores.registrations.find(aspId, regNo);
    if (!record) throw new Refusal(codes.REGISTRATION_NOT_FOUND);
    addToCorrelation({ registrationNumber: regNo });
    return record;
  }
}

function filterOf({ userId, status, from, to, cursor }: z.output<typeof listRegistrations.request>) {
  return {
    userId,
    status,
    from: from ? new Date(from) : undefined,
    to: to ? new Date(to) : undefined,
    before: cursor,
  };
}

function toListed(record: RegistrationRecord) {
  const { registrationNumber, userId, bankCode, status, resultCode, createdAt, endedAt } = record;
  if (!isBankCode(bankCode))
    throw new Error(`The bank code of registration ${registrationNumber} is not known.`);
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
