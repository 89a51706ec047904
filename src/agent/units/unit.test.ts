import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { waitFor } from '../../base/retry.ts';
import { statePaths } from '../state/paths.ts';
import { Unit } from './unit.ts';

const root = mkdtempSync(path.join(tmpdir(), 'hf-unit-'));
const command = {
  program: process.execPath,
  args: ['-e', 'setInterval(() => {}, 1e6)'],
  cwd: root,
  logFile: path.join(root, 'log'),
};

afterEach(() => rmSync(root, { recursive: true, force: true }));

test('who was killed counts as dead from then on, however long it takes to end, and again when it is started anew', async () => {
  const unit = new Unit(
    'redis-1',
    { ...statePaths(root).member('redis-1'), record: path.join(root, 'record') },
    systemClock,
  );
  await unit.start(command);
  expect(unit.view).toMatchObject({ running: true, ending: false, diedAtMs: null });
  unit.kill();
  // The kernel has not told of its end yet.
  expect(unit.process.running).toBe(true);
  expect(unit.view).toMatchObject({ running: false, ending: true, diedAtMs: expect.any(Number) });
  await waitFor(() => !unit.process.running, { what: 'its end', withinMs: 10_000 });
  expect(unit.view).toMatchObject({ running: false, ending: false });
  await unit.start(command);
  expect(unit.view).toMatchObject({ running: true, ending: false });
  unit.kill();
  await waitFor(() => !unit.process.running, { what: 'its end', withinMs: 10_000 });
});
