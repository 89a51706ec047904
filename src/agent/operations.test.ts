import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Operation, type OperationKind, Operations } from './operations.ts';

/** A promise, and what settles it. */
function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const operationKinds: OperationKind[] = [
  ...(['start', 'switchover', 'failover', 'restart'] as const),
  ...(['apply', 'restore', 'persistence'] as const),
];

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

test('while a change only waits the loop acts, and the change goes on when the step has ended', async () => {
  let woken = 0;
  const operations = new Operations(() => {
    woken += 1;
  });
  const change = await operations.begin('switchover');
  const order: string[] = [];
  expect(await operations.unplanned(async () => 'a step')).toBeUndefined();
  let endStep = () => {};
  const step = async () => {
    await new Promise<void>((resolve) => {
      endStep = resolve;
    });
    order.push('step');
  };
  let endWait = () => {};
  const rest = change
    .rest(
      () =>
        new Promise<void>((resolve) => {
          endWait = resolve;
        }),
    )
    .then(() => order.push('goes on'));
  expect([operations.rests, woken]).toEqual([true, 1]);
  const acting = operations.unplanned(step);
  endWait();
  await new Promise((resolve) => setImmediate(resolve));
  expect([operations.rests, order]).toEqual([false, []]);
  expect(await operations.unplanned(step)).toBeUndefined();
  endStep();
  await Promise.all([acting, rest]);
  expect(order).toEqual(['step', 'goes on']);
  change.end();
});

test('nothing is done under the rest of a change while the agent ends', async () => {
  const operations = new Operations();
  const change = await operations.begin('switchover');
  const waits = change.rest(
    () => new Promise<void>((resolve) => change.signal.addEventListener('abort', () => resolve())),
  );
  const stop = operations.stop('stop');
  expect(operations.rests).toBe(false);
  await waits;
  change.end();
  const last = await stop;
  void last.rest(async () => expect(operations.rests).toBe(false));
  last.end();
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

test('a change knows that nobody waits for its end any more', async () => {
  const operations = new Operations();
  const asker = new AbortController();
  const operation = await operations.begin('switchover', { signal: asker.signal });
  operations.giveWay('redis-1 is lost');
  expect([operation.signal.aborted, operation.unattended]).toEqual([true, false]);
  asker.abort(new Error('op gave it up'));
  expect(operation.unattended).toBe(true);
  operation.end();

  const next = await operations.begin('switchover');
  const stopped = operations.stop('stop');
  expect(next.unattended).toBe(true);
  next.end();
  (await stopped).end();
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

test('gates and Sentinels that die are started again whatever is planned, but for the start and the end of the agent', async () => {
  const operations = new Operations();
  expect(operations.keepsHelpers).toBe(true);
  for (const kind of operationKinds) {
    const operation = await operations.begin(kind);
    expect([kind, operations.keepsHelpers]).toEqual([kind, kind !== 'start']);
    operation.end();
  }
  await operations.stop('stop');
  expect(operations.keepsHelpers).toBe(false);
});

test('what changes nothing that is planned is carried out beside it, one at a time, and not while the agent ends', async () => {
  const operations = new Operations();
  const change = await operations.begin('switchover');
  const step = deferred<string>();
  const first = operations.beside(() => step.promise);
  expect(await operations.beside(async () => 'a second')).toBeUndefined();
  step.resolve('killed');
  expect(await first).toBe('killed');
  const stop = operations.stop('stop');
  expect(await operations.beside(async () => 'killed')).toBeUndefined();
  change.end();
  (await stop).end();
  expect(await operations.beside(async () => 'killed')).toBe('killed');
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

/** What happens to the owner of change, in any order: changes and steps that begin, end and are overtaken. */
const happenings = fc.array(
  fc.oneof(
    fc.record({
      what: fc.constant('begin' as const),
      kind: fc.constantFrom(
        'switchover' as const,
        'restart' as const,
        'restore' as const,
        'failover' as const,
      ),
      asker: fc.boolean(),
    }),
    fc.record({ what: fc.constantFrom('end' as const, 'asker leaves' as const, 'primary lost' as const) }),
    fc.record({ what: fc.constantFrom('step' as const, 'step ends' as const) }),
    fc.record({
      what: fc.constant('stop' as const),
      ending: fc.constantFrom('stop' as const, 'leave' as const),
    }),
  ),
  { maxLength: 30 },
);

test('in any order: one change at a time, never beside a step, and none that begins after the end did', async () => {
  const seen = { refused: 0, stopped: 0, steps: 0 };
  await fc.assert(
    fc.asyncProperty(happenings, async (all) => {
      const operations = new Operations();
      const running = new Set<Operation>();
      let steps = 0;
      let ending = false;
      const askers: AbortController[] = [];
      const endsOfSteps: (() => void)[] = [];
      const began = (operation: Operation) => {
        running.add(operation);
        expect([running.size, steps]).toEqual([1, 0]);
      };
      const step = async () => {
        expect(running.size).toBe(0);
        steps += 1;
        seen.steps += 1;
        await new Promise<void>((resolve) => endsOfSteps.push(resolve));
        steps -= 1;
      };
      for (const each of all) {
        if (each.what === 'begin') {
          const asker = new AbortController();
          if (each.asker) askers.push(asker);
          const wasFree = operations.current === null;
          const begin = operations.begin(each.kind, each.asker ? { signal: asker.signal } : {});
          void begin.then(began, (error) => {
            seen.refused += 1;
            if (wasFree) expect(error).toMatchObject({ code: 'OPERATION_ABORTED' });
            else expect(error).toMatchObject({ code: 'OPERATION_UNDER_WAY' });
          });
          if (ending) expect(wasFree).toBe(false);
        } else if (each.what === 'stop') {
          void operations.stop(each.ending).then(began, () => {});
          ending = true;
          expect(operations.life.aborted).toBe(true);
        } else if (each.what === 'end') {
          for (const operation of running) {
            running.delete(operation);
            if (operation.kind === 'stop' || operation.kind === 'leave') {
              seen.stopped += 1;
              ending = false;
            }
            operation.end();
            operation.end();
          }
        } else if (each.what === 'asker leaves') askers.pop()?.abort(new Error('the command is gone'));
        else if (each.what === 'primary lost') operations.giveWay('the primary is gone');
        else if (each.what === 'step') void operations.unplanned(step);
        else endsOfSteps.pop()?.();
        await turn();
      }
    }),
    { numRuns: 500, seed: 12 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
});

test.each(operationKinds.flatMap((first) => operationKinds.map((second) => [first, second] as const)))(
  'while %s is under way, %s is refused',
  async (first, second) => {
    const operations = new Operations();
    const operation = await operations.begin(first);
    await expect(operations.begin(second)).rejects.toMatchObject({ code: 'OPERATION_UNDER_WAY' });
    operation.end();
    (await operations.begin(second)).end();
  },
);
