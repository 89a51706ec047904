import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
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

afterAll(() => rmSync(root, { recursive: true, force: true }));

const aUnit = () =>
  new Unit(
    'redis-1',
    { ...statePaths(root).member('redis-1'), record: path.join(root, 'record') },
    systemClock,
  );

test('while it is being started it counts as neither dead nor running, is not started twice, and can be stopped', async () => {
  const unit = aUnit();
  const first = unit.start(command);
  expect(unit.view).toMatchObject({ running: false, diedAtMs: null });
  const second = unit.start(command);
  const stopped = unit.stop(10_000);
  await Promise.all([first, second]);
  await stopped;
  expect(unit.process.running).toBe(false);
  expect(unit.view).toMatchObject({ running: false, diedAtMs: null });
});

test('a start that fails counts as a death', async () => {
  const unit = aUnit();
  await expect(unit.start({ ...command, program: '/no/such/program' })).rejects.toMatchObject({
    code: 'PROCESS_FAILED_TO_START',
  });
  expect(unit.view).toMatchObject({ running: false, diedAtMs: expect.any(Number) });
});

test('who was killed counts as dead from then on, however long it takes to end, and again when it is started anew', async () => {
  const unit = aUnit();
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
