import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Troubles } from './troubles.ts';
import { Unwritten } from './unwritten.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-unwritten-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function made(nowMs: () => number = () => 0) {
  const told: string[] = [];
  const add = (kind: string, subject: string, text: string) => told.push(`${kind} ${subject} ${text}`);
  const troubles = new Troubles();
  const clock = { wallMs: () => 0, monotonicMs: nowMs };
  const root = path.join(folder, 'state');
  const unwritten = new Unwritten({ events: { add }, troubles, clock, name: 'orders', root });
  return { told, troubles, unwritten, root };
}

const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC', syscall: 'write' });

test('what the system refuses is said once a minute, and ends nothing; a fault of ours is thrown', async () => {
  let nowMs = 0;
  const { told, unwritten } = made(() => nowMs);
  const gone = await readFile('/nonexistent').catch((error: unknown) => error);
  for (const error of [full, gone, full, gone]) unwritten.note(error);
  expect(told).toEqual([
    'state-unwritten orders a disk is full: no space left on device',
    expect.stringContaining('state-unwritten orders the system refused open'),
  ]);
  nowMs = 60_000;
  unwritten.note(full);
  expect(told).toHaveLength(3);
  expect(() => unwritten.note(new TypeError('x'))).toThrow('x');
});

test('it is a trouble until something can be written again, and nothing is left of finding that out', async () => {
  const { troubles, unwritten, root } = made();
  await unwritten.lookAgain();
  expect(existsSync(root)).toBe(false);
  unwritten.note(full);
  expect(troubles.all).toEqual(['the state could not be written: a disk is full: no space left on device']);
  writeFileSync(root, 'no folder');
  await unwritten.lookAgain();
  expect(troubles.all).toEqual([expect.stringContaining('the system refused')]);
  rmSync(root);
  mkdirSync(root);
  await unwritten.lookAgain();
  expect(troubles.all).toEqual([]);
  expect(readdirSync(root)).toEqual([]);
});
