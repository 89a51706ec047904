import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Unwritten } from './unwritten.ts';

test('what the system refuses is said once a minute, and ends nothing; a fault of ours is thrown', async () => {
  const told: string[] = [];
  let nowMs = 0;
  const clock = { wallMs: () => 0, monotonicMs: () => nowMs };
  const add = (kind: string, subject: string, text: string) => told.push(`${kind} ${subject} ${text}`);
  const unwritten = new Unwritten({ add }, clock, 'orders');
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC', syscall: 'write' });
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
