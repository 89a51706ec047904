import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MemoryStore } from '../../scripts/fuzz-support/memory-store.mjs';
import { lockStore } from './lock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const clock = { wallMs: () => Date.now(), monotonicMs: () => Date.now() };
const lock = (store: MemoryStore, holder: string) => lockStore(store, holder, undefined, clock);

/** The lock as if a process of another machine held it. */
function asOfElsewhere(store: MemoryStore): void {
  const { process: _, ...text } = JSON.parse(String(store.objects.get('holdfast.lock')));
  store.objects.set('holdfast.lock', Buffer.from(JSON.stringify(text)));
}

test('one holds it; the next has it when it was given back', async () => {
  const store = new MemoryStore();
  const first = await lock(store, 'first');
  await expect(lock(store, 'second')).rejects.toMatchObject({
    code: 'BACKUP_BUSY',
    message: expect.stringMatching(/^first, since \S+, is at work in memory:/),
  });
  await first.check();
  await first.release();
  expect(store.objects.size).toBe(0);
  await (await lock(store, 'second')).release();
});

test('it is renewed while it is held, for as long as that takes', async () => {
  const store = new MemoryStore();
  const first = await lock(store, 'first');
  await vi.advanceTimersByTimeAsync(600_000);
  asOfElsewhere(store);
  await expect(lock(store, 'second')).rejects.toMatchObject({ code: 'BACKUP_BUSY' });
  expect(first.signal.aborted).toBe(false);
  await first.release();
});

test('a holder elsewhere that has died: free when its time is up and it stays silent, not before', async () => {
  const store = new MemoryStore();
  const dead = await lock(store, 'dead');
  asOfElsewhere(store);
  const left = store.objects.get('holdfast.lock')!;
  await dead.release();
  store.objects.set('holdfast.lock', left);
  await vi.advanceTimersByTimeAsync(30_000);
  await expect(lock(store, 'second')).rejects.toMatchObject({ code: 'BACKUP_BUSY' });
  await vi.advanceTimersByTimeAsync(31_000);
  const taking = lock(store, 'second');
  await vi.advanceTimersByTimeAsync(20_000);
  await (await taking).release();
});

test('a holder whose clock is behind is seen to live', async () => {
  const store = new MemoryStore();
  const slowClock = { wallMs: () => Date.now() - 3_600_000, monotonicMs: () => Date.now() };
  const first = await lockStore(store, 'first', undefined, slowClock);
  asOfElsewhere(store);
  const second = lock(store, 'second').catch((error: unknown) => error);
  // While the second watches, the first renews.
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await second).toMatchObject({ code: 'BACKUP_BUSY' });
  await first.release();
});

test('a holder whose clock was years ahead when it died: free when it stays silent for as long as a lock is good', async () => {
  const store = new MemoryStore();
  const wrong = { wallMs: () => Date.now() + 1e11, monotonicMs: () => Date.now() };
  const dead = await lockStore(store, 'dead', undefined, wrong);
  asOfElsewhere(store);
  const left = store.objects.get('holdfast.lock')!;
  await dead.release();
  store.objects.set('holdfast.lock', left);
  const taking = lock(store, 'second');
  await vi.advanceTimersByTimeAsync(61_000);
  await (await taking).release();
});

test('a holder that lives keeps it, however far its clock is ahead', async () => {
  const store = new MemoryStore();
  const wrong = { wallMs: () => Date.now() + 1e11, monotonicMs: () => Date.now() };
  const first = await lockStore(store, 'first', undefined, wrong);
  asOfElsewhere(store);
  const second = lock(store, 'second').catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(61_000);
  expect(await second).toMatchObject({ code: 'BACKUP_BUSY' });
  await first.release();
});

test('one that was taken away is noticed at the next renewal, and is not given back', async () => {
  const store = new MemoryStore();
  const first = await lock(store, 'first');
  store.objects.delete('holdfast.lock');
  const second = await lock(store, 'second');
  await expect(first.check()).rejects.toMatchObject({
    code: 'BACKUP_LOCK_LOST',
    message: expect.stringContaining('second has it now'),
  });
  await vi.advanceTimersByTimeAsync(11_000);
  expect(first.signal.aborted).toBe(true);
  await first.release();
  await second.check();
  await second.release();
});

test('where conditions are ignored, one of two notices', async () => {
  const store = new MemoryStore({ ignoresConditions: true });
  const first = await lock(store, 'first');
  const second = await lock(store, 'second');
  await expect(first.check()).rejects.toMatchObject({ code: 'BACKUP_LOCK_LOST' });
  await second.check();
  await first.release();
  await second.release();
});

test('an object of that name that is no lock stops everyone, and says what to do', async () => {
  const store = new MemoryStore();
  store.objects.set('holdfast.lock', Buffer.from('hello'));
  await expect(lock(store, 'first')).rejects.toMatchObject({
    code: 'BACKUP_BUSY',
    hint: expect.stringContaining('remove it'),
  });
});
