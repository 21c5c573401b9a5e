import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectAccessible } from '../fixtures/accessibility.ts';
import { startBrowser } from '../fixtures/browser.ts';
import { startBench } from './simulator-fixture.ts';
import type { Bench } from './simulator-fixture.ts';

let bench: Bench;
let browser: Browser;
let context: BrowserContext;
let page: Page;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  bench = await startBench();
  context = await browser.newContext();
  page = await context.newPage();
});
afterEach(async () => {
  await context.close();
  await bench.dispose();
});

const open = (reference?: string) => {
  const query = reference === undefined ? '' : `?reference=${reference}`;
  return page.goto(`${bench.url()}/simulator/phone${query}`);
};
const heading = (name: string) => page.getByRole('heading', { name }).waitFor();
const button = (name: string) => page.getByRole('button', { name, exact: true });

/** What the phone on the page shows. */
const screen = () => page.getByRole('region', { name: 'Phone' }).innerText();

async function answerWith(code: string): Promise<void> {
  await button('Answer').click();
  for (const digit of code) await button(digit).click();
}

describe('the phone page', () => {
  test('is where the simulator’s root leads', async () => {
    await page.goto(bench.url());
    await heading('No call right now');
    expect(page.url()).toBe(`${bench.url()}/simulator/phone`);
  });

  test('receives the only call, and shows whose it is', async () => {
    const { reference } = await bench.call('010-1234-0008');
    await open();
    await heading('ARS consent call');
    expect(await screen()).toContain(`Registration ${reference}`);
    await answerWith('42');
    await heading('Consent given');
  });

  test('answers no call of its own choice when several are open', async () => {
    const older = await bench.call('010-1234-0008');
    const newer = await bench.call('010-9876-0008');
    await open();
    await heading('Several calls are open');
    expect(await button('Answer').isVisible()).toBe(false);

    await page.getByRole('link', { name: newer.reference }).click();
    await heading('ARS consent call');
    expect(await screen()).toContain(`Registration ${newer.reference}`);
    await answerWith('42');
    await heading('Consent given');
    expect(await bench.get(`/simulator/calls?reference=${newer.reference}`)).toMatchObject([
      { state: 'PASSED' },
    ]);
    expect(await bench.get(`/simulator/calls?reference=${older.reference}`)).toMatchObject([
      { state: 'IN_PROGRESS' },
    ]);
  });

  test('with a registration number, it receives the calls of that registration alone', async () => {
    const other = await bench.call('010-1234-0008');
    await open('another-registration');
    await page.getByRole('link', { name: other.reference }).waitFor();
    await heading('No call right now');

    const mine = await bench.call('010-1234-0008', { reference: 'another-registration' });
    await heading('ARS consent call');
    expect(await screen()).toContain(`Registration ${mine.reference}`);
  });

  test('answers the latest call of a registration that has made another one', async () => {
    const { reference } = await bench.call('010-1234-0008');
    await open(reference);
    await heading('ARS consent call');
    await bench.call('010-1234-0008', { reference, attempt: 2 });
    await page.getByRole('heading', { name: 'Open calls' }).waitFor();
    await answerWith('42');
    await heading('Consent given');
    expect(await bench.get(`/simulator/calls?reference=${reference}`)).toMatchObject([
      { attempt: 1, state: 'IN_PROGRESS' },
      { attempt: 2, state: 'PASSED' },
    ]);
  });

  test('has no findings by axe in any of its views', async () => {
    await open();
    await heading('No call right now');
    await expectAccessible(page);

    const { reference } = await bench.call('010-1234-0008');
    await heading('ARS consent call');
    await bench.call('010-1234-0008');
    await page.getByRole('heading', { name: 'Open calls' }).waitFor();
    await expectAccessible(page);
    await page.reload();
    await heading('Several calls are open');
    await expectAccessible(page);

    await page.getByRole('link', { name: reference }).click();
    await button('Answer').click();
    await heading('In call');
    await expectAccessible(page);
    for (const digit of '24') await button(digit).click();
    await heading('Wrong code');
    await expectAccessible(page);
  });
});
