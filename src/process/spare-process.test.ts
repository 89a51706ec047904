import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '../base/retry.ts';
import { isRunning } from './identity.ts';
import { SpareProcess } from './spare-process.ts';
import type { ProcessCommand } from './spawn-held.ts';
import { SupervisedProcess } from './supervised-process.ts';

let folder = '';
const spares: SpareProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-spare-'));
});
afterEach(() => {
  for (const spare of spares.splice(0)) spare.drop();
  rmSync(folder, { recursive: true, force: true });
});

const logFile = () => path.join(folder, 'log');
const log = () => readFileSync(logFile(), 'utf8');

/** A program as base/let-go.ts has it: it says what it loaded, waits, and says that it began. */
function waiting(name = 'one'): ProcessCommand {
  const line = `echo "loaded ${name} $HOLDFAST_HELD"; read -r word <&3 || { echo left; exit 0; }; exec 3<&-; echo began; exec sleep 60`;
  return { program: '/bin/sh', args: ['-c', line], cwd: folder, logFile: logFile(), waitsItself: true };
}

async function prepared(command = waiting()) {
  const spare = new SpareProcess();
  spares.push(spare);
  spare.prepare(command);
  await waitFor(() => log().includes('loaded'), { what: 'it to wait', withinMs: 10_000 });
  return spare;
}

test('is loaded, and begins when it is let go', async () => {
  const spare = await prepared();
  expect(log()).toBe('loaded one 1\n');
  const held = spare.take(waiting());
  expect(spare.take(waiting())).toBeUndefined();
  held?.letGo();
  await waitFor(() => log().endsWith('began\n'), { what: 'it to begin', withinMs: 10_000 });
  held?.child.kill('SIGKILL');
});

test('ends with whoever holds it', async () => {
  const held = (await prepared()).take(waiting());
  const exit = once(held!.child, 'exit');
  held?.child.stdio[3]?.destroy();
  expect(await exit).toEqual([0, null]);
  expect(log()).toBe('loaded one 1\nleft\n');
});

test('goes on when it is needed, though somebody stopped it', async () => {
  const spare = await prepared();
  process.kill(spare.pid as number, 'SIGSTOP');
  const held = spare.take(waiting());
  held?.letGo();
  await waitFor(() => log().endsWith('began\n'), { what: 'it to begin', withinMs: 10_000 });
  held?.child.kill('SIGKILL');
});

test.each([
  ['another command', () => ({ ...waiting(), args: ['-c', 'exit 0'] })],
  ['another environment', () => ({ ...waiting(), env: {} })],
])('is not taken for %s', async (_what, other) => {
  const spare = await prepared();
  expect(spare.take(other())).toBeUndefined();
  expect(spare.take(waiting())).toBeDefined();
});

test('is not taken, and made anew, when its log was set aside: nobody would find what it says', async () => {
  const spare = await prepared();
  renameSync(logFile(), `${logFile()}.1`);
  expect(spare.take(waiting())).toBeUndefined();
  writeFileSync(logFile(), '');
  spare.prepare(waiting());
  await waitFor(() => log().includes('loaded'), { what: 'another', withinMs: 10_000 });
  expect(spare.take(waiting())).toBeDefined();
});

test('one that died is none', async () => {
  const spare = new SpareProcess();
  spares.push(spare);
  const died = { ...waiting(), args: ['-c', 'exit 1'] };
  spare.prepare(died);
  await waitFor(() => spare.take(died) === undefined, { what: 'its end', withinMs: 10_000 });
  spare.prepare({ ...waiting(), program: path.join(folder, 'nothing') });
  expect(spare.take(waiting())).toBeUndefined();
});

test('a supervised process becomes it, under the pid that waited, with its record', async () => {
  const recordFile = path.join(folder, 'process.json');
  const one = new SupervisedProcess('gate-1', recordFile, logFile());
  one.prepare(waiting());
  await waitFor(() => log().includes('loaded'), { what: 'it to wait', withinMs: 10_000 });
  await one.start(waiting());
  expect(isRunning(JSON.parse(readFileSync(recordFile, 'utf8')))).toBe(true);
  await waitFor(() => log() === 'loaded one 1\nbegan\n', { what: 'it to begin', withinMs: 10_000 });
  await one.stop(10_000);
  // Prepared and not needed.
  one.prepare(waiting('two'));
  one.forgetPrepared();
  one.prepare({ ...waiting(), waitsItself: false });
  await one.start({ ...waiting(), args: ['-c', 'exec sleep 60'] });
  await one.stop(10_000);
});
