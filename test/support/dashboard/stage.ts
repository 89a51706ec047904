/** For a file of tests of the page: a browser, and a server that is made up. Between two tests nothing of the first stays. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Look, openBrowser } from './browser.ts';
import { type Opening, opened } from './opened.ts';
import { PageServer, type Told } from './page-server.ts';

export interface Stage extends Opening {
  /** Opens the page as it is when told that. */
  open(what: Told, page?: string, size?: Look): Promise<Page>;
}

/** To be called once in a file; browser and server are there when its tests begin. */
export function makeStage(): Stage {
  const stage = {
    problems: [] as string[],
    open: (what: Told, page?: string, size?: Look) => opened(stage, what, page, size),
  } as Stage;
  beforeAll(async () => {
    stage.browser = await openBrowser();
    stage.server = await PageServer.start();
  });
  afterEach(async () => {
    stage.server.setSilent(false);
    await Promise.all(stage.browser.contexts().map((context) => context.close()));
    stage.problems.length = 0;
    stage.server.asked.length = 0;
  });
  afterAll(async () => {
    await stage.browser?.close();
    await stage.server?.close();
  });
  return stage;
}
