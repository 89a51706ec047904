import { existsSync, linkSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { errorCode } from '../base/errors.ts';
import { askControl, ControlServer } from './control.ts';
import { migrationPaths, type Plan, writePlan } from './plan.ts';

let root: string;
let file: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'holdfast-control-'));
  file = path.join(root, 'control.sock');
});
afterEach(() => rmSync(root, { recursive: true }));

/** As a process leaves it that was killed. */
async function leaveDead(): Promise<void> {
  const elsewhere = path.join(root, 'elsewhere');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(elsewhere, resolve));
  linkSync(elsewhere, file);
  await new Promise((resolve) => server.close(resolve));
}

test('of two that begin in one moment one runs, also behind one that was killed', async () => {
  for (let round = 0; round < 20; round++) {
    if (round % 2 === 1) await leaveDead();
    const begun = await Promise.allSettled(
      [0, 1].map((index) => ControlServer.listen(file, async () => index)),
    );
    const [one, ...others] = begun.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(others).toEqual([]);
    const index = begun.findIndex(({ status }) => status === 'fulfilled');
    expect(await askControl(file, { verb: 'ping' })).toBe(index);
    for (const each of begun)
      if (each.status === 'rejected') expect(errorCode(each.reason)).toBe('MIGRATION_RUNS');
    await one?.close();
    expect([existsSync(file), readdirSync(root)]).toEqual([false, []]);
  }
});

test('a state directory whose socket could not be had is refused before anything is written', async () => {
  const paths = migrationPaths(path.join(root, 'x'.repeat(110)));
  await expect(writePlan(paths, {} as Plan)).rejects.toMatchObject({ code: 'MIGRATE_REFUSED' });
  expect(readdirSync(root)).toEqual([]);
});
