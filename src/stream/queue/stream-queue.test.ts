import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Random } from '../../../test/support/random.ts';
import { waitFor } from '../../base/retry.ts';
import { type QueueOptions, StreamQueue } from './stream-queue.ts';

const [a, b] = ['a'.repeat(40), 'b'.repeat(40)] as [string, string];
const folders: string[] = [];
const queues: StreamQueue[] = [];
afterEach(async () => {
  for (const each of queues.splice(0)) await each.close().catch(() => {});
  for (const each of folders.splice(0)) rmSync(each, { recursive: true, force: true });
});

async function open(options: QueueOptions): Promise<StreamQueue> {
  const queue = await StreamQueue.open(options);
  queues.push(queue);
  return queue;
}

function place(offset: number, replId = a) {
  return { replId, offset, db: 0 };
}

function newFolder(): string {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'hf-queue-')), 'queue');
  folders.push(path.dirname(folder));
  return folder;
}

const filesOf = (folder: string) => readdirSync(folder).sort();

/** The byte that stands at an offset. */
const byteAt = (offset: number) => (offset * 31 + (offset >> 8)) & 255;

function bytes(from: number, count: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: count }, (_, index) => byteAt(from + index)));
}

/** Reads so many bytes from there, and says whether they are the right ones. */
async function reads(queue: StreamQueue, from: number, count: number): Promise<boolean> {
  const pieces: Buffer[] = [];
  let missing = count;
  if (missing === 0) return true;
  for await (const piece of queue.read(from, () => {})) {
    pieces.push(Buffer.from(piece));
    missing -= piece.length;
    if (missing <= 0) break;
  }
  return Buffer.concat(pieces).subarray(0, count).equals(bytes(from, count));
}

const onDisk = async (queue: StreamQueue, folder: string, least: number) => {
  const size = () => filesOf(folder).reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
  await waitFor(() => size() >= least, { what: 'it to be written', withinMs: 5000, everyMs: 5 });
  return queue;
};

test('what nobody takes is on disk, and is taken over by the next process', async () => {
  const folder = newFolder();
  const queue = await open({ folder, mostBytes: 2 ** 30 });
  queue.restart(place(1000));
  queue.push(bytes(1000, 500));
  queue.push(bytes(1500, 300));
  await onDisk(queue, folder, 800);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(path.join(folder, filesOf(folder)[0]!)).mode & 0o777).toBe(0o600);
  // The one before was killed: nothing more is said to it.
  const next = await open({ folder, mostBytes: 2 ** 30 });
  expect(next.end).toEqual(place(1800));
  expect(next.status()).toMatchObject({ bytes: 800, isFull: false, problem: null });
  next.push(bytes(1800, 10));
  expect(await reads(next, 1100, 710)).toBe(true);
  expect([999, 1000, 1810, 1811].map((offset) => next.covers(place(offset)))).toEqual([
    false,
    true,
    true,
    false,
  ]);
  next.noteApplied(1810);
  await next.close();
  expect(filesOf(folder)).toEqual([]);
});

test('a reader that keeps up has all of it from memory, and nothing is written', async () => {
  const folder = newFolder();
  const queue = await open({ folder, mostBytes: 2 ** 30 });
  queue.restart(place(0));
  const reading = queue.read(0, () => {});
  for (let at = 0; at < 2 ** 22; at += 2 ** 16) {
    queue.push(bytes(at, 2 ** 16));
    for (let got = 0; got < 2 ** 16; ) got += (await reading.next()).value!.length;
    queue.noteApplied(at + 2 ** 16);
  }
  expect(queue.status()).toMatchObject({ bytes: 0, seconds: 0 });
  expect(() => filesOf(folder)).toThrow('ENOENT');
});

test.each(['torn', 'damaged', 'without its second file'])(
  'what is %s ends where it is sound',
  async (how) => {
    const folder = newFolder();
    const queue = await open({ folder, mostBytes: 2 ** 20 });
    queue.restart(place(0));
    // Files of 128 KiB.
    for (let at = 0; at < 600_000; at += 50_000) {
      queue.push(bytes(at, 50_000));
      await onDisk(queue, folder, at + 50_000);
    }
    await queue.close();
    const names = filesOf(folder);
    expect(names.length).toBeGreaterThan(3);
    const last = path.join(folder, names.at(-1)!);
    const second = path.join(folder, names[1]!);
    if (how === 'torn') truncateSync(last, statSync(last).size - 7);
    else if (how === 'damaged') {
      const text = readFileSync(second);
      text[text.length - 9]! ^= 1;
      writeFileSync(second, text);
    } else rmSync(second);
    const next = await open({ folder, mostBytes: 2 ** 20 });
    const { offset } = next.end!;
    expect(offset).toBeGreaterThanOrEqual(100_000);
    expect(offset).toBeLessThan(600_000);
    expect(await reads(next, 0, offset)).toBe(true);
    next.push(bytes(offset, 1000));
    expect(await reads(next, 50_000, offset - 49_000)).toBe(true);
    await next.close();
    const third = await open({ folder, mostBytes: 2 ** 20 });
    expect(third.end?.offset).toBe(offset + 1000);
    expect(await reads(third, 0, offset + 1000)).toBe(true);
    await third.close();
  },
);

test('a stranger’s file is no queue', async () => {
  const folder = newFolder();
  const queue = await open({ folder, mostBytes: 2 ** 20 });
  queue.restart(place(0));
  queue.push(bytes(0, 10));
  await onDisk(queue, folder, 10);
  await queue.close();
  for (const name of filesOf(folder)) {
    writeFileSync(path.join(folder, name), '');
    appendFileSync(path.join(folder, name), 'something else altogether, and long enough for a head');
  }
  expect((await open({ folder, mostBytes: 2 ** 20 })).end).toBeUndefined();
});

test('the history’s names: a place counts under each of them, as far as it had that', async () => {
  const folder = newFolder();
  const queue = await open({ folder, mostBytes: 2 ** 20 });
  queue.restart(place(0));
  queue.push(bytes(0, 100));
  queue.rename(b);
  queue.push(bytes(100, 100));
  const check = (which: StreamQueue) => {
    expect(which.end).toEqual(place(200, b));
    expect([place(50), place(100), place(101)].map((each) => which.covers(each))).toEqual([
      true,
      true,
      false,
    ]);
    expect(
      [place(50, b), place(150, b), place(50, 'c'.repeat(40))].map((each) => which.covers(each)),
    ).toEqual([...[true, true, false]]);
  };
  check(queue);
  await onDisk(queue, folder, 200);
  await queue.close();
  const next = await open({ folder, mostBytes: 2 ** 20 });
  check(next);
  // What the primary before had beyond what the next one got is no part of it.
  await next.cutAt(120);
  expect(next.end).toEqual(place(120, b));
  next.push(bytes(120, 30));
  expect(await reads(next, 10, 140)).toBe(true);
  // Behind where it had its former name only, that name counts no further, and so it is when it is read again.
  await next.cutAt(80);
  next.push(bytes(80, 40));
  const cut = (which: StreamQueue) => [place(80), place(81), place(81, b)].map((each) => which.covers(each));
  expect(cut(next)).toEqual([true, false, true]);
  await onDisk(next, folder, 120);
  await next.close();
  const last = await open({ folder, mostBytes: 2 ** 20 });
  expect([last.end, cut(last)]).toEqual([place(120, b), [true, false, true]]);
  await last.close();
});

test('whoever reads is told when it is begun anew', async () => {
  const queue = await open({ folder: newFolder(), mostBytes: 2 ** 20 });
  queue.restart(place(0));
  queue.push(bytes(0, 10));
  const reading = queue.read(0, () => {});
  expect((await reading.next()).value).toHaveLength(10);
  const more = reading.next();
  queue.restart(place(500));
  expect(await more).toMatchObject({ done: true });
  queue.push(bytes(500, 10));
  expect(await reads(queue, 500, 10)).toBe(true);
});

test('at its bound it says that it is full, and has room again when something is applied', async () => {
  const folder = newFolder();
  const queue = await open({ folder, mostBytes: 2 ** 20 });
  queue.restart(place(0));
  let end = 0;
  for (; queue.hasRoom; end += 50_000) queue.push(bytes(end, 50_000));
  expect(end).toBeGreaterThan(900_000);
  expect(queue.status()).toMatchObject({ bytes: end, isFull: true });
  await onDisk(queue, folder, end);
  queue.noteApplied(600_000);
  await waitFor(() => queue.hasRoom, { what: 'room', withinMs: 5000, everyMs: 5 });
  expect(await reads(queue, 600_000, end - 600_000)).toBe(true);
  await queue.close();
});

test('a folder that takes nothing keeps what fits in memory, and the reason is told', async () => {
  const folder = newFolder();
  writeFileSync(folder, 'a file where the folder is to be');
  const queue = await open({ folder, mostBytes: 2 ** 30 });
  queue.restart(place(0));
  let end = 0;
  for (; queue.hasRoom; end += 500_000) queue.push(bytes(end, 500_000));
  await waitFor(() => queue.status().problem !== null, { what: 'the reason', withinMs: 5000, everyMs: 5 });
  expect(queue.status().problem).toContain('can’t be written');
  expect(end).toBeLessThan(2 ** 24);
  expect(await reads(queue, 0, end)).toBe(true);
});

test('whatever is done to it in whatever order, each offset has its byte', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = new Random(seed);
    const folder = newFolder();
    let queue = await open({ folder, mostBytes: 2 ** 20 });
    queue.restart(place(0));
    let end = 0;
    for (let step = 0; step < 40; step++) {
      const kind = random.below(10);
      if (kind < 5 && queue.hasRoom) {
        const count = random.below(120_000);
        queue.push(bytes(end, count));
        end += count;
      } else if (kind < 7) {
        const from = queue.applied + random.below(end - queue.applied + 1);
        expect(await reads(queue, from, end - from), `seed ${seed}`).toBe(true);
        queue.noteApplied(from);
      } else if (kind === 7) await new Promise((resolve) => setTimeout(resolve, random.below(3)));
      else if (kind === 8) {
        await queue.close();
        queue = await open({ folder, mostBytes: 2 ** 20 });
        // All was applied: there is nothing to go on from.
        if (queue.end === undefined) queue.restart(place(end));
        expect(queue.end?.offset, `seed ${seed}`).toBe(end);
      } else {
        end = queue.applied + random.below(end - queue.applied + 1);
        await queue.cutAt(end);
      }
    }
    await queue.close();
  }
});
