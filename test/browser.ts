import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** Starts a browser that needs neither a display nor the network; `close` it in `afterAll`. */
export async function startBrowser(): Promise<Browser> {
  // With these two, it hangs once a context has been closed.
  const unfit = ['--single-process', '--no-zygote'];
  return await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: chromium.args.filter((argument) => !unfit.includes(argument)),
    headless: true,
  });
}
