/** A page that is told something, opened and at rest. */
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { desktop, type Look, openTab } from './browser.ts';
import type { PageServer, Told } from './page-server.ts';

export interface Opening {
  browser: Browser;
  server: PageServer;
  /** Gets what the page writes to its console. */
  problems: string[];
}

/** Opens the page as it is when told that. */
export async function opened(
  { browser, server, problems }: Opening,
  what: Told,
  page = 'overview',
  size: Look = desktop,
): Promise<Page> {
  server.told = what;
  const tab = await openTab(browser, size, problems);
  await tab.goto(`${server.address}#/${page}`);
  await settled(tab);
  return tab;
}

/** Whatever is asked for has come. */
export async function settled(tab: Page): Promise<void> {
  await tab.locator('main .card, main .tiles').first().waitFor();
  await expect.poll(() => tab.locator('.wait').count()).toBe(0);
}
