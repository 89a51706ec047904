import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '../base/retry.ts';
import { targetOfVersionText } from '../rdb/target.ts';
import { KeyPositions } from '../stream/key-positions.ts';
import { abandonMigration } from './abandon.ts';
import { askControl } from './control.ts';
import { Migration } from './migration.ts';
import { type MigrationPaths, migrationPaths, type Plan } from './plan.ts';
import { type Progress, readProgress, writeProgress } from './progress.ts';

/** A process that was killed while its own pause held the old side: whoever comes behind it ends that first. */
let root: string;
let paths: MigrationPaths;
let old: { server: Server; port: number; asked: string[] };
const sockets = new Set<Socket>();
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'holdfast-migration-'));
  paths = migrationPaths(root);
  old = await pausedServer();
});
afterEach(() => {
  old.server.close();
  for (const each of sockets) each.destroy();
  rmSync(root, { recursive: true });
});

/** It leaves writes unanswered until the pause is ended. */
async function pausedServer(): Promise<typeof old> {
  const asked: string[] = [];
  let isPaused = true;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      // Each is asked behind the answer before.
      for (const request of data.toString('latin1').split(/(?=^\*)/m)) {
        const words = request.split('\r\n').filter((_, index) => index > 0 && index % 2 === 0);
        asked.push(words.slice(0, 2).join(' '));
        if (words[0] === 'CLIENT' && words[1] === 'UNPAUSE') isPaused = false;
        if (words[0] === 'DEL') {
          if (!isPaused) socket.write(':1\r\n');
        } else socket.write(words[0] === 'CLUSTER' ? '-ERR no cluster\r\n' : '+OK\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port, asked };
}

const nowhere = { endpoint: { host: '127.0.0.1', port: 1 } };
const address = () => ({ kind: 'server', address: '127.0.0.1', port: old.port }) as const;

function plan(): Plan {
  const access = { passwordFile: null, sentinelPasswordFile: null, ca: null };
  const carried = { dbs: [], prefix: '', match: [], types: [], owned: [] };
  return {
    ...{ version: 1, id: 'abcdefgh', createdMs: 0, method: 'replication' },
    sources: [{ url: `redis://127.0.0.1:${old.port}`, ...access, ...carried }],
    ...{ target: { url: 'redis://127.0.0.1:1', passwordFile: null, ca: null } },
    ...{ onConflict: 'fail', maxRate: 0, maxLag: null, isAlone: true },
  };
}

async function killedIn(change: Progress['change'], phase: Progress['phase'] = 'running'): Promise<void> {
  await writeProgress(paths, {
    ...{ version: 1, phase, change, pid: 1, writtenMs: 1, failure: null, gates: [], sources: [] },
    ...{ isMoved: false, notMoved: [], back: null, oldSide: null, notFollowed: null },
  });
}

function migration(): Migration {
  return new Migration({
    ...{ plan: plan(), paths, sources: [address()], target: nowhere, onProgress: () => {} },
    targetAsSource: { kind: 'server', address: '127.0.0.1', port: 1 },
    ...{ loads: targetOfVersionText('redis 7.2'), positions: new KeyPositions([]) },
  });
}

async function resumed(): Promise<void> {
  const stop = new AbortController();
  const running = migration().run(stop.signal);
  // What ends it before fails here.
  const isDone = async () => (await readProgress(paths))?.pid === process.pid && asked('CLIENT UNPAUSE') > 0;
  const noted = waitFor(isDone, { what: 'the pause to be ended', withinMs: 4000 });
  await Promise.race([noted, running.then(() => noted)]).finally(() => stop.abort());
  expect(await running).toBe('stopped');
}

const asked = (what: string) => old.asked.filter((each) => each === what).length;

test('killed in its cut-over: who takes it up, or gives it up, lets writers go on at the old side', async () => {
  await killedIn('cut-over');
  await resumed();
  expect(await readProgress(paths)).toMatchObject({ change: null });
  old.asked.length = 0;
  await killedIn('cut-over');
  const given = await abandonMigration(plan(), paths, { target: nowhere, oldSide: [address()] });
  expect(given).toMatchObject({ missing: null });
  expect(asked('CLIENT UNPAUSE')).toBe(1);
});

test('an old side that can’t be told is named by who gives it up', async () => {
  await killedIn('cut-over');
  const lost = { kind: 'server', address: '127.0.0.1', port: 1 } as const;
  const given = await abandonMigration(plan(), paths, { target: nowhere, oldSide: [lost] });
  expect(given.left).toMatch(/127\.0\.0\.1:1 takes writes again within 30 s only/);
});

test('nobody else’s pause is ended where no change was under way', async () => {
  await killedIn(null);
  await abandonMigration(plan(), paths, { target: nowhere, oldSide: [address()] });
  expect(old.asked).toEqual([]);
});

test('killed in the undo of its cut-over: its own pause is ended before anything is taken out of the old side', async () => {
  const users = [`user default on nopass ~* &* +@all`];
  const servers = [{ host: '127.0.0.1', port: old.port, users }];
  writeFileSync(paths.closed, JSON.stringify({ version: 1, id: 'abcdefgh-1-back-1', servers }));
  await killedIn('undo');
  await resumed();
  const isThere = old.asked.indexOf('CLIENT UNPAUSE');
  const dropped = old.asked.findIndex((each) => each.startsWith('DEL'));
  expect(isThere).toBeGreaterThanOrEqual(0);
  expect(dropped).toBeGreaterThan(isThere);
});

test.each(['cut-over', 'running'] as const)(
  'killed while it was given up, when writers went on already: nobody holds them up again (%s)',
  async (phase) => {
    await killedIn('abort', phase);
    await expect(migration().run(new AbortController().signal)).rejects.toMatchObject({
      ...{ code: 'MIGRATE_REFUSED', hint: expect.stringContaining('migrate abort') },
    });
    expect(old.asked).toEqual([]);
    // Though the new side answers: here it is the same server.
    const given = await abandonMigration(plan(), paths, {
      target: { endpoint: { host: '127.0.0.1', port: old.port } },
      oldSide: [address()],
    });
    // Which of the two it was says whether the old side had everything.
    expect(given.missing).toEqual(
      phase === 'running' ? null : expect.stringContaining('nothing of what was written'),
    );
    expect(asked('CLIENT UNPAUSE')).toBe(1);
    expect(asked('CLIENT PAUSE')).toBe(0);
    expect(await readProgress(paths)).toBeNull();
  },
);

test('killed while it was finished: nobody holds the writers up again, and finish brings it to its end', async () => {
  await killedIn('finish', 'cut-over');
  const running = migration().run(new AbortController().signal);
  const finished = async () =>
    await askControl(paths.socket, { verb: 'finish', release: true }).then(
      () => true,
      () => false,
    );
  await waitFor(finished, { what: 'it to be finished', withinMs: 10_000 });
  expect(await running).toBe('finished');
  expect(asked('CLIENT PAUSE')).toBe(0);
});
