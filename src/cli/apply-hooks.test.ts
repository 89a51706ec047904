import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { betweenHooks } from './apply-hooks.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-hooks-'));
  mkdirSync(path.join(folder, 'hooks'), { mode: 0o700 });
});
afterEach(() => rmSync(folder, { recursive: true }));

const reported: string[] = [];
const facts = (plan: unknown = { turns: [] }) => ({
  name: 'orders',
  specFile: path.join(folder, 'orders.yaml'),
  plan,
  report: (line: string) => reported.push(line),
});
const said = () => readFileSync(path.join(folder, 'said'), 'utf8').trim().split('\n');

function hook(name: string, end: string, mode = 0o700): void {
  const file = path.join(folder, 'hooks', name);
  writeFileSync(file, `#!/bin/sh\necho "${name} $HOLDFAST_NAME $HOLDFAST_RESULT $(cat)" >> said\n${end}\n`);
  chmodSync(file, mode);
}

test('hooks hear of the plan before, and of the end after', async () => {
  hook('before-apply', 'exit 0');
  hook('after-apply', 'exit 0');
  await betweenHooks(facts(), async () =>
    writeFileSync(path.join(folder, 'said'), `${said().join('\n')}\nwork\n`),
  );
  expect(said()).toEqual([
    'before-apply orders  {"turns":[]}',
    'work',
    'after-apply orders applied {"turns":[]}',
  ]);
  expect(reported).toEqual(['running hooks/before-apply', 'running hooks/after-apply']);
});

test('one before that fails refuses the work; the work’s failure is told, also by one after that fails', async () => {
  hook('after-apply', 'exit 4');
  const broken = async () => {
    throw new Error('host c is gone');
  };
  await expect(betweenHooks(facts(), broken)).rejects.toThrow('host c is gone');
  expect(said()).toEqual(['after-apply orders failed {"turns":[]}']);
  await expect(betweenHooks(facts(), async () => {})).rejects.toThrow(/after-apply: it ended with status 4/);
  hook('before-apply', 'exit 3');
  let worked = false;
  const work = async () => {
    worked = true;
  };
  await expect(betweenHooks(facts(), work)).rejects.toThrow(/before-apply: it ended with status 3/);
  expect(worked).toBe(false);
});

test('one that leaves something running, and reads no plan, is over when it ends', async () => {
  const file = path.join(folder, 'hooks', 'before-apply');
  writeFileSync(file, '#!/bin/sh\nexec 3<&0\nsleep 5 <&3 >/dev/null 2>&1 &\n', { mode: 0o700 });
  const began = performance.now();
  await betweenHooks(facts('x'.repeat(2 ** 20)), async () => {});
  expect(performance.now() - began).toBeLessThan(4000);
});

test('what is not executable, or what others may have written, is not run', async () => {
  hook('before-apply', 'exit 0', 0o600);
  await expect(betweenHooks(facts(), async () => {})).rejects.toThrow(/not executable/);
  chmodSync(path.join(folder, 'hooks'), 0o777);
  await expect(betweenHooks(facts(), async () => {})).rejects.toThrow(/others can write it/);
});
