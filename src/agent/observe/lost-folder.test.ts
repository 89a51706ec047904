import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lostFolder } from './lost-folder.ts';

const root = mkdtempSync(path.join(tmpdir(), 'hf-lost-'));
const [data, away] = [path.join(root, 'data'), path.join(root, 'away')];
let server: ChildProcess;
const found = () => lostFolder(data, server.pid as number);

beforeAll(() => {
  mkdirSync(data);
  server = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { cwd: data });
});
afterAll(() => {
  server.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

test.skipIf(process.platform !== 'linux')(
  'a folder that is moved, one in its place, and one that is deleted; moved back, all is well',
  async () => {
    expect(await found()).toBeNull();
    renameSync(data, away);
    expect(await found()).toBe(away);
    // An empty one in its place is another one.
    mkdirSync(data);
    expect(await found()).toBe(away);
    rmSync(data, { recursive: true });
    renameSync(away, data);
    expect(await found()).toBeNull();
    rmSync(data, { recursive: true });
    expect(await found()).toContain('(deleted)');
  },
);

test('of a process that is gone nothing is said', async () => {
  expect(await lostFolder(root, 2 ** 30)).toBeNull();
});
