import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectAccessible } from '../fixtures/accessibility.ts';
import { startBrowser } from '../fixtures/browser.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';
import { call } from '../fixtures/wire-client.ts';

let stack: Stack;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** Requests to other hosts, and errors and warnings of the browser. */
let foreign: string[];
let problems: string[];

beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), startBrowser()]);
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  // On a busy machine, calls and registrations are repeated before they succeed.
  context.setDefaultTimeout(50_000);
  context.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== 'data:' && hostname !== '127.0.0.1') foreign.push(request.url());
  });
  context.on('console', (message) => {
    // Browsers report every HTTP 400, which is how refusals come.
    const isRefusal = message.text().includes('status of 400');
    if (['error', 'warning'].includes(message.type()) && !isRefusal) problems.push(message.text());
  });
  context.on('weberror', (error) => problems.push(error.error().message));
});
afterAll(async () => {
  await browser.close();
  await stack.close();
});

beforeEach(async () => {
  foreign = [];
  problems = [];
  page = await context.newPage();
});
afterEach(async () => {
  for (const opened of context.pages()) await opened.close();
  const wrong = [...foreign, ...problems];
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
});

async function open(url = stack.url): Promise<void> {
  await page.goto(`${url}/docs`);
  await page.locator('.opblock').first().waitFor();
}

const card = (title: string) =>
  page.getByRole('button').filter({ has: page.locator('strong').getByText(title, { exact: true }) });
const result = () => page.locator('#result');

const run = promisify(execFile);

/** Runs the shell command that an operation shows. @returns what it prints */
async function paste(operationId: string): Promise<string> {
  const command = await page.locator(`.opblock[id$="-${operationId}"] .command pre`).innerText();
  return (await run('sh', ['-c', command])).stdout;
}

/** Opens an operation of the reference, unless it is open, and sends the content of its editor. */
async function execute(operationId: string): Promise<Locator> {
  const operation = page.locator(`.opblock[id$="-${operationId}"]`);
  const control = operation.locator('.opblock-summary-control');
  if ((await control.getAttribute('aria-expanded')) === 'false') await control.click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  const answer = operation.locator('.live-responses-table');
  await answer.waitFor();
  return answer;
}

describe('the page', () => {
  test('lists the operations', async () => {
    await open();
    await page.getByText('/api/v1/bankaccounts/ars/register', { exact: true }).waitFor();
    expect(await page.getByText('All result codes').isVisible()).toBe(true);
  });

  test.for(['/', '/docs/'])('%s leads to it', async (path) => {
    const { url, status } = await fetch(stack.url + path);
    expect([url, status]).toEqual([`${stack.url}/docs`, 200]);
  });

  test('says when the service does not answer and how to start it, until it answers again', async () => {
    await open();
    const message = page.getByRole('alert');
    expect(await message.isVisible()).toBe(false);
    await context.setOffline(true);
    await card('Success').click();
    await message.waitFor();
    expect(await message.textContent()).toContain(`PORT=${new URL(stack.url).port} npm start`);
    const operation = page.locator('.opblock[id$="-issueArsCode"]');
    await operation.locator('.opblock-summary-control').click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    await operation.getByText('The service does not answer.').first().waitFor();

    await context.setOffline(false);
    await message.waitFor({ state: 'hidden' });
    problems = problems.filter((problem) => !problem.includes('ERR_INTERNET_DISCONNECTED'));
  });

  test('has no findings by axe, with everything open that it shows', async () => {
    await open();
    await page.getByText('All result codes').click();
    await page.getByText('What the ARS call does').click();
    await card('Success').click();
    await result().waitFor();
    await execute('inquireRegistrationStatus');
    // One with nested schemas, all of them expanded.
    const nested = page.locator('.opblock[id$="-getAccount"]');
    await nested.locator('.opblock-summary-control').click();
    const schemas = nested.getByRole('tab', { name: 'Schema' });
    await schemas.first().waitFor();
    for (const tab of await schemas.all()) await tab.click();
    const folded = nested.getByText('Expand all');
    await folded.first().waitFor();
    const unfold = (buttons: readonly { click(): void }[]) => {
      for (const button of buttons) button.click();
    };
    await expect
      .poll(() => folded.evaluateAll(unfold).then(() => folded.count()), { timeout: 20_000 })
      .toBe(0);
    await nested.locator('.json-schema-2020-12__constraint--string:visible').first().waitFor();
    await expectAccessible(page);
  }, 120_000);

  test('is read-only without a sandbox, and has no findings by axe there', async () => {
    await open(await stack.startAnotherApi({ serveSandbox: undefined }));
    await page.locator('.opblock-summary-control').nth(2).click();
    await page.getByText('Idempotency-Key').first().waitFor();
    await expectAccessible(page);
  }, 120_000);

  test('gives every control a name', async () => {
    await open();
    await page.locator('.opblock-summary-control').nth(2).click();
    await page.getByRole('button', { name: 'Execute' }).waitFor();
    await page.getByText('What the ARS call does').click();
    const controls = (await page.locator('body').ariaSnapshot())
      .split('\n')
      .filter((line) => /- '?(button|combobox|textbox|checkbox|link)\b/.test(line));
    expect(controls.length).toBeGreaterThan(50);
    // A name stands in quotes behind the role.
    expect(controls.filter((line) => !/- '?\w+ ".+"/.test(line))).toEqual([]);
  });

  test('fits a narrow screen and scrolls the result into view', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await open();
    await card('Success').click();
    await page.getByRole('heading', { name: 'Success' }).waitFor();
    const { y = -1 } = (await page.getByRole('heading', { name: 'Success' }).boundingBox()) ?? {};
    expect(y).toBeGreaterThanOrEqual(0);
    expect(y).toBeLessThan(400);
    await page.locator('.opblock-summary-control').first().click();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  });

  test('is read-only without a sandbox', async () => {
    const url = await stack.startAnotherApi({ serveSandbox: undefined });
    const requested: string[] = [];
    page.on('request', (request) => requested.push(new URL(request.url()).pathname));
    await open(url);
    await page.locator('.opblock-summary-control').first().click();
    await page.getByText('X-KM-Tran-Token', { exact: true }).first().waitFor();
    expect(await page.getByRole('button', { name: /Try it out|Execute/ }).count()).toBe(0);
    expect(await page.locator('#sandbox').isVisible()).toBe(false);
    expect(requested.filter((path) => path.startsWith('/sandbox'))).toEqual([]);
    expect((await fetch(`${url}/sandbox/phone`)).status).toBe(404);
  });
});

describe('Try it', () => {
  test('signs a plain request', async () => {
    await open();
    const sent = page.waitForRequest('**/ars/auth');
    const answer = await execute('issueArsCode');
    expect(await answer.textContent()).toMatch(/"authNumber".*"000_000"/s);
    expect((await sent).postDataJSON()).toEqual({ userId: expect.any(Number) });
  });

  test('encrypts for the strict project', async () => {
    await open();
    await page.getByLabel('Service provider').selectOption({ index: 1 });
    const sent = page.waitForRequest('**/user/valid');
    const answer = await execute('validateAccountHolder');
    expect(await answer.textContent()).toContain('"000_000"');
    expect((await sent).postDataJSON()).toEqual({ encData: expect.any(String) });
  });

  test('leaves a request plain if selected, and shows the refusal', async () => {
    await open();
    await page.getByLabel('Service provider').selectOption({ index: 1 });
    await page.getByLabel('Encrypt where the API asks for it').uncheck();
    expect(await (await execute('validateAccountHolder')).textContent()).toContain('"000_906"');
  });

  test('decrypts a response about the account that a card has registered', async () => {
    await open();
    await card('Success').click();
    await result().waitFor();
    const received = page.waitForResponse('**/bankaccounts/info');
    const answer = await execute('getAccount');
    expect(await answer.textContent()).toMatch(/"accountInfo".*"11012345678"/s);
    expect(await (await received).json()).toEqual({ encData: expect.any(String) });
    expect(await (await execute('inquireRegistrationStatus')).textContent()).toContain('BANK_ACC_REGISTERED');
  });

  test('status, timeline and cancellation are about the last registration, also after a reload', async () => {
    await open();
    const operations = ['inquireRegistrationStatus', 'getTimeline', 'cancelRegistration'];
    const numbers = async () => {
      const bodies = operations.map((id) => page.locator(`.opblock[id$="-${id}"] textarea`).inputValue());
      return (await Promise.all(bodies)).map((body) => (JSON.parse(body) as { regNo: string }).regNo);
    };
    const openOperation = (id = '') =>
      page.locator(`.opblock[id$="-${id}"] .opblock-summary-control`).click();
    for (const id of operations) await openOperation(id);

    const accepted = await execute('registerAccount');
    const number = /"bankAccRegNo": "(\w{22})"/.exec(await accepted.innerText())?.[1];
    await expect.poll(numbers).toEqual([number, number, number]);
    expect(await (await execute('getTimeline')).textContent()).toContain('"000_000"');

    await page.reload();
    await openOperation(operations[0]);
    const body = page.locator(`.opblock[id$="-${operations[0]}"] textarea`);
    expect(await body.inputValue()).toContain(number);

    // Another tab has not registered anything.
    await page.evaluate('sessionStorage.clear()');
    await open();
    for (const id of operations) await openOperation(id);
    await expect.poll(numbers).toEqual([number, number, number]);
  });

  test('the command that sets the notification URL is for this service and the selected project', async () => {
    await open();
    await page.getByText('See the result notifications').click();
    await page.getByLabel('Service provider').selectOption({ index: 1 });
    const command = await page.getByText('curl -X PUT').innerText();
    expect(command).toContain(`${stack.url}/sandbox/projects/${stack.projects[1].aspId}/callback `);
    await run('sh', ['-c', command.replace('"http://localhost:8080/km/result"', 'null')]);
  });

  test('the shown command repeats a registration, which has one effect', async () => {
    await open();
    const answer = await execute('registerAccount');
    const number = /"bankAccRegNo": "(\w{22})"/.exec(await answer.innerText())?.[1];
    expect(JSON.parse(await paste('registerAccount'))).toMatchObject({
      bankAccRegNo: number,
      response: { code: '000_000' },
    });
    await execute('inquireRegistrationStatus');
    expect(await paste('inquireRegistrationStatus')).toContain('"000_000"');
  });

  test('the shown command of a read has a ciphertext and a signature of its own', async () => {
    await open();
    await card('Success').click();
    await result().waitFor();
    const sent = page.waitForRequest('**/bankaccounts/info');
    await execute('getAccount');
    const command = await page.locator('.opblock[id$="-getAccount"] .command pre').innerText();
    const { encData } = (await sent).postDataJSON() as { encData: string };
    expect(command).not.toContain(encData);
    expect(command).not.toContain((await sent).headers()['x-km-tran-token']);
    expect(JSON.parse(await paste('getAccount'))).toEqual({ encData: expect.any(String) });
  });

  test('follows the selected member until somebody edits the body', async () => {
    await open();
    await page.locator('.opblock[id$="-issueArsCode"] .opblock-summary-control').click();
    const body = page.locator('.opblock[id$="-issueArsCode"] textarea');
    await page.getByLabel('Member').selectOption('10000000042');
    await expect.poll(() => body.inputValue()).toContain('10000000042');
    await body.fill('{"userId": "10000000043"}');
    await page.getByLabel('Member').selectOption('10000000044');
    expect(await body.inputValue()).toBe('{"userId": "10000000043"}');
  });

  test('sends every digit of a member ID and exactly the bytes it has signed', async () => {
    await open();
    const operation = page.locator('.opblock[id$="-issueArsCode"]');
    await operation.locator('.opblock-summary-control').click();
    const text = '{ "userId" : 9999999999999999999 }';
    await operation.locator('textarea').fill(text);
    const sent = page.waitForRequest('**/ars/auth');
    await operation.getByRole('button', { name: 'Execute' }).click();
    expect((await sent).postData()).toBe(text);
    // The code of an unknown member, which comes only after the signature has been verified.
    await operation.locator('.live-responses-table').getByText('001_006').first().waitFor();
  });
});

describe('test data', () => {
  test('a card can be used with the keyboard alone', async () => {
    await open();
    await card('Success').waitFor();
    await page.getByLabel('Encrypt where the API asks for it').focus();
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toContain('Success');
    await page.keyboard.press('Enter');
    await result().waitFor();
    expect(await result().textContent()).toContain('BANK_ACC_REGISTERED · 000_000');
    expect(await page.getByRole('status').textContent()).toContain('BANK_ACC_REGISTERED');
    expect(await page.locator('#exchanges').textContent()).toContain('mobileNumber');
  });

  test('without the optional parameter it succeeds too, for the strict project', async () => {
    await open();
    await page.getByLabel('Service provider').selectOption({ index: 1 });
    await card('Success without the optional parameter').click();
    await result().waitFor();
    expect(await result().textContent()).toContain('BANK_ACC_REGISTERED');
    expect(await page.locator('#exchanges').textContent()).not.toContain('mobileNumber');
  });

  test('a second registration of the member is refused while the first one runs', async () => {
    await open();
    await card('Already in progress').click();
    await page.locator('#statuses').getByText('002_013').waitFor();
    await result().waitFor();
    expect(await result().textContent()).toContain('BANK_ACC_REGISTERED');
  });

  test.for([
    ['What the ARS call does', 'Hung up', 'ARS_AUTH_FAILED · 002_014'],
    ['What the bank and the payment gateway do', 'Lifetime account', 'BANK_ACC_REG_FAILED · 002_015'],
  ] as const)('%s: %s ends with %s, explained', async ([group, name, end]) => {
    await open();
    await page.getByText(group).click();
    await card(name).click();
    await result().waitFor();
    expect(await result().textContent()).toContain(end);
    expect(await result().textContent()).toContain('Bank account register failed due to');
  });

  test('the code that a member was given before is shown to answer the phone with', async () => {
    await open();
    await page.locator('#member').selectOption({ index: 0 });
    const [project] = stack.projects;
    const userId = project.members[1]!.userId;
    const { body } = await call(stack.url, project, '/ars/auth', { userId });
    await card('Answer the phone yourself').click();
    await page.locator('#code').getByText(String(body['authNumber'])).waitFor();
    expect(await page.locator('#code').textContent()).toContain(String(body['authNumber']));
  });

  test('a person answers the phone that rings for the registration, not another one', async () => {
    await open();
    await card('Answer the phone yourself').click();
    const code = page.locator('#code');
    await code.waitFor();
    const abandoned = await page.getByRole('link', { name: 'Open the phone' }).getAttribute('href');
    await card('Answer the phone yourself').click();
    const link = page.getByRole('link', { name: 'Open the phone' });
    await expect.poll(() => link.getAttribute('href')).not.toBe(abandoned);

    const opened = context.waitForEvent('page');
    await link.click();
    const phone = await opened;
    const number = /\w{22}$/.exec((await link.getAttribute('href')) ?? '')?.[0];
    await phone.waitForURL(`${stack.simulatorUrl}/simulator/phone?reference=${number}`);
    await phone.getByRole('button', { name: 'Answer', exact: true }).click();
    const digits = (await code.textContent()) ?? '';
    expect(digits).toMatch(/^\d\d$/);
    for (const digit of digits) await phone.getByRole('button', { name: digit, exact: true }).click();
    await phone.getByText('Consent given').first().waitFor();

    await result().waitFor();
    expect(await result().textContent()).toContain('BANK_ACC_REGISTERED');
    expect(await page.locator('#code-card').isVisible()).toBe(false);
  });
});
