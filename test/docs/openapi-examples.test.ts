import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOpenapiDocument } from '../../wire/openapi-document.ts';
import { ringing } from '../fixtures/members-of-stack.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import {
  call,
  callEncrypted,
  decrypt,
  encrypt,
  registration,
  send,
  untilEnded,
} from '../fixtures/wire-client.ts';
import type { Alterations, WireAnswer } from '../fixtures/wire-client.ts';

type Content = Readonly<Record<string, unknown>>;
type Examples = Readonly<Record<string, { readonly value: Content }>>;
type Body = { readonly content: { readonly 'application/json': { readonly examples: Examples } } };

/** An operation as the document describes it. */
interface Described {
  readonly operationId: string;
  readonly requestBody: Body;
  readonly responses: Readonly<Record<string, Body>>;
}

const document = createOpenapiDocument();
const operations = Object.entries(document.paths).map(([path, { post }]) => ({
  endpoint: path.slice('/api/v1/bankaccounts'.length),
  ...(post as unknown as Described),
}));
const operation = (id: string) => operations.find(({ operationId }) => operationId === id)!;
const examplesOf = (body: Body) => body.content['application/json'].examples;

/** The examples that have been compared with the service, and those that the document has. */
const seen = new Set<string>();
const documented = operations.flatMap(({ operationId, requestBody, responses }) => [
  ...Object.keys(examplesOf(requestBody)).map((name) => `${operationId} request ${name}`),
  ...Object.keys(examplesOf(responses['200']!)).map((name) => `${operationId} 200 ${name}`),
]);

/** What differs from one registration to the next. `redocly lint` compares its form with the schemas. */
const varying = ['bankAccRegNo', 'authNumber', 'accountId', 'at', 'createdAt', 'endedAt'];
const withoutVarying = (content: Content): unknown =>
  JSON.parse(JSON.stringify(content, (key, value: unknown) => (varying.includes(key) ? `a ${key}` : value)));

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** Sends an example request as it is, apart from the registration number. @returns the decrypted answer */
async function ask(
  id: string,
  {
    request = 'required',
    regNo,
    encrypted = false,
  }: { request?: string; regNo?: string; encrypted?: boolean } = {},
): Promise<Content> {
  const { endpoint, requestBody } = operation(id);
  seen.add(`${id} request ${request}`);
  const example = examplesOf(requestBody)[request]!.value;
  const content = 'regNo' in example && regNo ? { ...example, regNo } : example;
  const [project] = stack.projects;
  const { body } = await (encrypted ? callEncrypted : call)(stack.url, project, endpoint, content);
  const { encData } = body as { encData?: string };
  return encData === undefined ? body : (JSON.parse(await decrypt(encData, project)) as Content);
}

function expectExample(id: string, name: string, answer: Content): void {
  seen.add(`${id} 200 ${name}`);
  const example = examplesOf(operation(id).responses['200']!)[name]!.value;
  expect.soft(withoutVarying(answer)).toEqual(withoutVarying(example));
}

test('each example request gets the example response from the service', async () => {
  const [project] = stack.projects;
  expectExample('validateAccountHolder', 'success', await ask('validateAccountHolder'));
  expectExample('listInstitutions', 'banks', await ask('listInstitutions'));

  const accepted = await ask('registerAccount');
  const regNo = String(accepted['bankAccRegNo']);
  expectExample('registerAccount', 'withCode', accepted);
  await untilEnded(stack.url, project, regNo);
  expectExample('inquireRegistrationStatus', 'registered', await ask('inquireRegistrationStatus', { regNo }));
  expectExample('getTimeline', 'registered', await ask('getTimeline', { regNo }));
  expectExample('listRegistrations', 'success', await ask('listRegistrations'));
  expectExample('listRegistrations', 'success', await ask('listRegistrations', { request: 'optional' }));

  expectExample('getAccount', 'plain', await ask('getAccount'));
  expectExample('getAccount', 'decrypted', await ask('getAccount', { encrypted: true }));
  expectExample('inquireAccount', 'notForAutoCharge', await ask('inquireAccount'));
  expectExample('registerForAutoCharge', 'decrypted', await ask('registerForAutoCharge'));
  expectExample('inquireAccount', 'forAutoCharge', await ask('inquireAccount'));
  expectExample('deleteAccount', 'success', await ask('deleteAccount'));

  expectExample('issueArsCode', 'success', await ask('issueArsCode'));
  const another = await ask('registerAccount', { request: 'optional' });
  expectExample('registerAccount', 'withoutCode', another);

  const running = await call(stack.url, project, '/ars/register', registration(project, 2, ringing));
  const runningNo = { regNo: String(running.body['bankAccRegNo']) };
  expectExample('inquireRegistrationStatus', 'inProgress', await ask('inquireRegistrationStatus', runningNo));
  expectExample('cancelRegistration', 'success', await ask('cancelRegistration', runningNo));

  expect([...seen].toSorted()).toEqual(documented.toSorted());
});

test('each refusal that names a field or a trouble is as in its example', async () => {
  const [project, other] = stack.projects;
  const refused = async (body: string, alterations: Alterations): Promise<WireAnswer> =>
    await send(stack.url, project, '/api/v1/bankaccounts/institutions', body, alterations);
  const forAnotherKey = JSON.stringify({ encData: await encrypt('{}', other) });
  const answers = [
    await refused('{}', { headers: { 'X-KM-Time-Zone': 'XYZ' } }),
    await refused('{}', { headers: { 'X-KM-Access-Key': null } }),
    await refused('{}', { headers: { 'X-KM-User-AspId': 'SHORT' } }),
    await refused(forAnotherKey, { headers: { 'X-KM-Crypto-Key-Id': project.cryptoKeyId } }),
    await refused('{"a":x}', {}),
    await refused('{}', { headers: { 'Content-Type': 'text/plain' } }),
  ];
  const examples: Examples = document.components.examples;
  for (const { body } of answers) expect(body).toEqual(examples[body.response.code]!.value);
  const codes = answers.map(({ body }) => body.response.code);
  expect(codes).toEqual(['000_002', '000_003', '000_015', '000_907', '000_908', '000_912']);
});

test('refusals with fields beside `response` are as in their examples', async () => {
  const [project] = stack.projects;
  const expectRefusal = (id: string, body: WireAnswer['body']) => {
    const example = examplesOf(operation(id).responses['400']!)[body.response.code]!.value;
    expect.soft(withoutVarying(body)).toEqual(withoutVarying(example));
  };
  const register = async (member: number, overrides: Content) =>
    (await call(stack.url, project, '/ars/register', registration(project, member, overrides))).body;

  await register(3, ringing);
  const inProgress = await register(3, ringing);
  expect(inProgress.response.code).toBe('002_013');
  expectRefusal('registerAccount', inProgress);

  const failing = await Promise.all([
    register(4, { mobileNumber: '01012340001' }),
    register(5, { bankAccount: '11012349002' }),
    register(6, { bankAccount: '11012349001' }),
  ]);
  const ends = await Promise.all(
    failing.map(
      async ({ bankAccRegNo }) => (await untilEnded(stack.url, project, String(bankAccRegNo))).body,
    ),
  );
  expect(ends.map(({ response }) => response.code)).toEqual(['002_014', '002_015', '002_901']);
  for (const body of ends) expectRefusal('inquireRegistrationStatus', body);

  // The registration number of the examples is unknown to the service.
  const unknown = await ask('inquireRegistrationStatus');
  expectRefusal('inquireRegistrationStatus', unknown as WireAnswer['body']);
});

test('the documentation page allows no foreign script', async () => {
  const { headers } = await fetch(`${stack.url}/docs`);
  const policy = headers.get('content-security-policy') ?? 'none';
  expect(policy).toMatch(/^default-src 'none'; script-src 'self';/);
});
