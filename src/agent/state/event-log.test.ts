import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type DeploymentEvent, EventLog, readEvents } from './event-log.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-events-'));
  file = path.join(folder, 'events.jsonl');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const clock = { wallMs: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6), monotonicMs: () => 0 };
const open = () => new EventLog(file, clock);
const texts = (events: DeploymentEvent[]) => events.map(({ text }) => text);

test('an event has a number, a time and its words, and is one line that only its owner can read', () => {
  const log = open();
  log.add('promoted', 'redis-2', 'redis-2 is primary now\nand more');
  const event = {
    seq: 1,
    at: '2026-01-02T03:04:05.006Z',
    kind: 'promoted',
    subject: 'redis-2',
    text: 'redis-2 is primary now\nand more',
  };
  expect(log.since(0)).toEqual([event]);
  expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(1);
  expect(readEvents(file)).toEqual([event]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('numbers go on over restarts of the agent', () => {
  open().add('ready', 'x', 'one');
  const next = open();
  next.add('down', 'x', 'two');
  expect(next.since(0).map(({ seq }) => seq)).toEqual([1, 2]);
  expect(texts(next.since(1))).toEqual(['two']);
  expect(next.since(2)).toEqual([]);
});

test('numbers go on over a rotation, also when the agent restarts just after it', () => {
  open().add('ready', 'x', 'one');
  renameSync(file, `${file}.1`);
  const next = open();
  next.add('down', 'x', 'two');
  expect(next.since(0).map(({ seq }) => seq)).toEqual([1, 2]);
  expect(texts(readEvents(file))).toEqual(['two']);
});

test('a line that a crash cut short costs no other event', () => {
  open().add('ready', 'x', 'one');
  appendFileSync(file, '{"seq":2,"at":"2026-01-0');
  const next = open();
  expect(texts(next.since(0))).toEqual(['one']);
  next.add('down', 'x', 'two');
  open().add('exited', 'x', 'three');
  expect(texts(readEvents(file))).toEqual(['one', 'two', 'three']);
});

test('lines that are no events are told of', () => {
  open().add('ready', 'x', 'one');
  appendFileSync(file, 'null\n{"seq":2}\n\0\0\0\n');
  expect(texts(open().since(0))).toEqual(['one', `3 lines of ${file} can't be read`]);
});

test('there are no events without a file', () => {
  expect(readEvents(file)).toEqual([]);
  expect(open().since(0)).toEqual([]);
  expect(() => statSync(file)).toThrow('ENOENT');
});

test('the last thousand are in memory, all are in the file', () => {
  const log = open();
  for (let i = 1; i <= 1005; i++) log.add('ready', 'x', `${i}`);
  expect(log.since(0)).toHaveLength(1000);
  expect(log.since(0)[0]?.text).toBe('6');
  expect(readEvents(file)).toHaveLength(1005);
  expect(open().since(0)[0]?.text).toBe('6');
});

test('listeners hear each event until they stop', () => {
  const log = open();
  const heard: string[] = [];
  const stop = log.listen(({ text }) => heard.push(text));
  log.add('ready', 'x', 'one');
  stop();
  log.add('ready', 'x', 'two');
  expect(heard).toEqual(['one']);
});

test('a file that cannot be written stops nobody: the event is still heard', () => {
  const log = new EventLog(path.join(folder, 'no', 'such', 'folder'), clock);
  const complaints = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const heard: string[] = [];
  log.listen(({ text }) => heard.push(text));
  log.add('ready', 'x', 'one');
  expect(heard).toEqual(['one']);
  expect(texts(log.since(0))).toEqual(['one']);
  expect(String(complaints.mock.calls[0])).toContain('cannot write');
});

test.skipIf(process.getuid?.() !== 0)(
  'what a full disk took no more is written when there is room, each line for itself',
  () => {
    const disk = path.join(folder, 'disk');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=700', 'tmpfs', disk]);
    expect(mounted.status).toBe(0);
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      const there = path.join(disk, 'events.jsonl');
      const log = new EventLog(there, clock);
      const filler = path.join(disk, 'filler');
      spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k', 'count=2']);
      for (let i = 1; i <= 150; i++) log.add('ready', 'x', `${i}`);
      // The last line that went in was cut short by the end of the disk.
      expect(readFileSync(there, 'utf8')).not.toMatch(/\n$/);
      rmSync(filler);
      log.add('down', 'x', 'room');
      const lines = readFileSync(there, 'utf8').trimEnd().split('\n');
      const seqs = lines.map((line) => JSON.parse(line).seq);
      expect(seqs).toEqual(Array.from({ length: 151 }, (_, i) => i + 1));
    } finally {
      spawnSync('umount', ['-l', disk]);
    }
  },
);

test('what waited too long is gone, and that is said', () => {
  const there = path.join(folder, 'later', 'events.jsonl');
  const log = new EventLog(there, clock);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  for (let i = 1; i <= 1003; i++) log.add('ready', 'x', `${i}`);
  mkdirSync(path.dirname(there));
  log.add('down', 'x', 'room');
  const found = readEvents(there);
  expect(found[0]?.text).toBe('5');
  expect(found.at(-1)?.text).toBe(
    `4 events before the last 1000 could not be written to ${there}, and are gone`,
  );
  expect(found).toHaveLength(1001);
});

test('it rotates when it has grown, and goes on in a new file', async () => {
  const log = open();
  log.add('ready', 'x', 'one');
  await log.rotate();
  expect(texts(readEvents(file))).toEqual(['one']);
  writeFileSync(file, `${' '.repeat(10 * 2 ** 20)}\n`);
  await log.rotate();
  log.add('ready', 'x', 'two');
  expect(texts(readEvents(file))).toEqual(['two']);
});
