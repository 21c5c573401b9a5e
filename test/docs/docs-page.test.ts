import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startBrowser } from '../fixtures/browser.ts';
import { startStack } from '../fixtures/stack.ts';
import type { Stack } from '../fixtures/stack.ts';

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
  context.setDefaultTimeout(20_000);
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

/** Opens an operation of the reference and sends the content of its editor. */
async function execute(operationId: string): Promise<Locator> {
  const operation = page.locator(`.opblock[id$="-${operationId}"]`);
  await operation.locator('.opblock-summary-control').click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  const answer = operation.locator('.live-responses-table');
  await answer.waitFor();
  return answer;
}

describe('the page', () => {
  test('lists the operations and allows no foreign script', async () => {
    // Not through the browser, whose cache may have the page.
    const { headers } = await fetch(`${stack.url}/docs`);
    const policy = headers.get('content-security-policy') ?? 'none';
    expect(policy).toMatch(/^default-src 'none'; script-src 'self';/);
    await open();
    await page.getByText('/api/v1/bankaccounts/ars/register', { exact: true }).waitFor();
    expect(await page.getByText('All result codes').isVisible()).toBe(true);
  });

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
    await page.getByLabel('Encrypt where the API asks for it').focus();
    await page.keyboard.press('Tab');
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

  test('a person answers the phone and enters the code', async () => {
    await open();
    await card('Answer the phone yourself').click();
    const opened = context.waitForEvent('page');
    await page.getByRole('link', { name: 'Open the phone' }).click();
    const phone = await opened;
    expect(phone.url()).toBe(`${stack.simulatorUrl}/simulator/phone`);
    const code = (await page.locator('#code').textContent()) ?? '';
    expect(code).toMatch(/^\d\d$/);

    await phone.getByRole('button', { name: 'Answer', exact: true }).click();
    for (const digit of code) await phone.getByRole('button', { name: digit, exact: true }).click();
    await phone.getByText('Consent given').first().waitFor();

    await result().waitFor();
    expect(await result().textContent()).toContain('BANK_ACC_REGISTERED');
    expect(await page.locator('#code-card').isVisible()).toBe(false);
  });
});
