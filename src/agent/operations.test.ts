import { expect, test } from 'vitest';
import { Operations } from './operations.ts';

/** A promise, and what settles it. */
function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a second change is refused with what is under way, and begins once that is over', async () => {
  const operations = new Operations();
  const first = await operations.begin('switchover');
  await expect(operations.begin('apply')).rejects.toMatchObject({
    code: 'OPERATION_UNDER_WAY',
    message: 'a switchover is under way',
  });
  first.end();
  expect(operations.current).toBeNull();
  const second = await operations.begin('apply');
  expect(operations.description).toBe('applying the spec');
  // The end of the first, told again, does not end the second.
  first.end();
  expect(operations.current).toBe('apply');
  second.end();
});

test('a stop aborts the change under way, waits for its end, and lets nothing else begin', async () => {
  const operations = new Operations();
  const order: string[] = [];
  const lastStep = deferred();
  const change = operations.run('restart', {}, async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    order.push('aborted');
    await lastStep.promise;
    order.push('over');
    signal.throwIfAborted();
  });
  await turn();
  const stop = operations.stop('stop').then((operation) => {
    order.push('stopping');
    return operation;
  });
  await expect(operations.begin('switchover')).rejects.toMatchObject({ message: 'stopping is under way' });
  await turn();
  expect(order).toEqual(['aborted']);
  lastStep.resolve();
  await expect(change).rejects.toMatchObject({
    code: 'OPERATION_ABORTED',
    message: 'a restart was given up: the agent stops',
  });
  await stop;
  expect(order).toEqual(['aborted', 'over', 'stopping']);
  expect(operations.current).toBe('stop');
  await expect(operations.stop('leave')).rejects.toMatchObject({ code: 'OPERATION_UNDER_WAY' });
});

test('a change knows how the agent ends: under a stop nothing may be started any more', async () => {
  const operations = new Operations();
  const change = await operations.begin('restart');
  expect(change.ending).toBeNull();
  const stop = operations.stop('stop');
  expect(change.ending).toBe('stop');
  change.end();
  expect((await stop).ending).toBeNull();
});

test('a stop that failed gives the agent back', async () => {
  const operations = new Operations();
  const stop = await operations.stop('stop');
  expect(operations.life.aborted).toBe(true);
  stop.end();
  expect(operations.life.aborted).toBe(false);
  (await operations.begin('restart')).end();
});

test('whoever asked goes away: the change is given up', async () => {
  const operations = new Operations();
  const asker = new AbortController();
  const change = await operations.begin('switchover', { signal: asker.signal });
  asker.abort(new Error('the command is gone'));
  expect(change.signal.reason).toMatchObject({
    code: 'OPERATION_ABORTED',
    message: 'a switchover was given up: the command is gone',
  });
  change.end();
});

test('a change whose asker is gone already does not begin, and leaves nothing reserved', async () => {
  const operations = new Operations();
  const signal = AbortSignal.abort(new Error('gone'));
  await expect(operations.begin('switchover', { signal })).rejects.toMatchObject({
    code: 'OPERATION_ABORTED',
  });
  expect(operations.current).toBeNull();
});

test('a planned change waits for the step that the loop carries out', async () => {
  const operations = new Operations();
  const step = deferred();
  const unplanned = operations.unplanned(() => step.promise);
  let began = false;
  const begin = operations.begin('restart').then((operation) => {
    began = true;
    return operation;
  });
  await turn();
  expect(began).toBe(false);
  // Reserved all the same: the loop takes no further step.
  expect(await operations.unplanned(async () => 'done')).toBeUndefined();
  step.resolve();
  await unplanned;
  (await begin).end();
  expect(await operations.unplanned(async () => 'done')).toBe('done');
});

test('a step that fails keeps nobody waiting', async () => {
  const operations = new Operations();
  await expect(operations.unplanned(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  (await operations.begin('restart')).end();
});

test('the end of each change is told, so that the loop looks again', async () => {
  let ends = 0;
  const operations = new Operations(() => {
    ends += 1;
  });
  await operations.run('apply', {}, async () => {});
  await operations.run('apply', {}, () => Promise.reject(new Error('no'))).catch(() => {});
  expect(ends).toBe(2);
});

test('what is planned gives way to a lost primary, once, and the loop may act when it has ended', async () => {
  const operations = new Operations();
  expect(operations.givesWay).toBe(false);
  const change = await operations.begin('restart');
  expect(operations.givesWay).toBe(true);
  operations.giveWay('the process of the primary redis-1 is gone');
  expect(change.signal.reason).toMatchObject({
    code: 'OPERATION_ABORTED',
    message: 'a restart was given up: the process of the primary redis-1 is gone',
  });
  expect([operations.givesWay, operations.current]).toEqual([false, 'restart']);
  expect(await operations.unplanned(async () => 'done')).toBeUndefined();
  change.end();
  expect(await operations.unplanned(async () => 'done')).toBe('done');
});

test.each(['start', 'failover'] as const)(
  'a %s does not give way, nor does the end of the agent',
  async (kind) => {
    const operations = new Operations();
    const change = await operations.begin(kind);
    expect(operations.givesWay).toBe(false);
    operations.giveWay('the primary is gone');
    expect(change.signal.aborted).toBe(false);
    change.end();
    const stop = await operations.stop('stop');
    operations.giveWay('the primary is gone');
    expect([operations.givesWay, stop.signal.aborted]).toEqual([false, false]);
  },
);
