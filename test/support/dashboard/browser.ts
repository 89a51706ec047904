/** A browser that shows the page as a viewer would see it: the clock stands, the zone and the language are known. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findProgram } from '../../../src/process/programs.ts';
import { nowMs } from './example.ts';

export function openBrowser(): Promise<Browser> {
  // Root, as in a container, may not use the sandbox; the page is our own.
  return chromium.launch({ executablePath: findProgram('chromium') ?? 'chromium', args: ['--no-sandbox'] });
}

export interface Look {
  theme: 'light' | 'dark';
  width: number;
  height: number;
}

export const desktop: Look = { theme: 'light', width: 1280, height: 900 };
export const phone: Look = { theme: 'light', width: 390, height: 844 };

/** @param problems gets what the page writes to its console, and what it fails to load. */
export async function openTab(
  browser: Browser,
  look: Look,
  problems: string[],
  { still = true, ...options }: BrowserContextOptions & { still?: boolean } = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.height },
    colorScheme: look.theme,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: still ? 'reduce' : 'no-preference',
    ...options,
  });
  context.setDefaultTimeout(60_000);
  const tab = await context.newPage();
  if (still) await tab.clock.setFixedTime(nowMs);
  tab.on('console', (message) => problems.push(message.text()));
  tab.on('pageerror', (error) => problems.push(error.message));
  return tab;
}
