import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../base/retry.ts';
import { commandAs, type Fence, lockLostMark } from '../ssh/ssh-command.ts';
import { lockScript } from './apply-lock.ts';

function fences(...holders: string[]): Fence[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = { lockFile: path.join(folder, 'lock'), workFile: path.join(folder, 'work') };
  return holders.map((holder) => ({ ...files, holder }));
}

function take(fence: Fence): { child: ChildProcess; said: () => string } {
  const child = spawn('sh', ['-c', lockScript(fence)], { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => {
    child.stdin?.end();
  });
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return { child, said: () => said };
}

const says = (lock: ReturnType<typeof take>, text: string) =>
  waitFor(() => lock.said().includes(text), { what: text, withinMs: 20_000, everyMs: 20 });

const ends = ({ child }: ReturnType<typeof take>) =>
  waitFor(() => child.exitCode !== null, { what: 'its end', withinMs: 20_000, everyMs: 20 });

/** As on a host where ssh logs in as root. */
function run(fence: Fence, script: string) {
  const command = commandAs('root', script, 'holdfast', fence).replaceAll('id -u', 'echo 0');
  return spawnSync('sh', ['-c', command], { encoding: 'utf8' });
}

test('a command runs only while its sender has the lock', async () => {
  const [mine, theirs] = fences("me, it's", 'them') as [Fence, Fence];
  expect(run(mine, 'echo done').stderr).toContain(lockLostMark);
  const first = take(mine);
  await says(first, 'taken');
  expect(run(mine, 'echo done').stdout).toBe('done\n');
  const refused = take(theirs);
  await says(refused, "me, it's");
  first.child.stdin?.end();
  await ends(first);
  expect(run(mine, 'echo done')).toMatchObject({ stdout: '', status: 1 });
  const second = take(theirs);
  await says(second, 'taken');
  expect(run(mine, 'echo done').stderr).toContain(lockLostMark);
});

test('who takes the lock waits for what the one before had begun', async () => {
  const [mine, theirs] = fences('me', 'them') as [Fence, Fence];
  const first = take(mine);
  await says(first, 'taken');
  const go = `${mine.workFile}-go`;
  const script = `echo begun > ${go}-begun; until [ -e ${go} ]; do sleep 0.05; done`;
  const command = commandAs('root', script, 'holdfast', mine).replaceAll('id -u', 'echo 0');
  const work = spawn('sh', ['-c', command], { stdio: 'ignore' });
  await waitFor(() => existsSync(`${go}-begun`), { what: 'the work', withinMs: 20_000, everyMs: 20 });
  // Its sender is gone; what it had begun is not.
  first.child.stdin?.end();
  await ends(first);
  expect(work.exitCode).toBe(null);
  const second = take(theirs);
  await says(second, 'waiting');
  expect(second.said()).not.toContain('taken');
  writeFileSync(go, '');
  await says(second, 'taken');
  expect(readFileSync(mine.lockFile, 'utf8')).toBe('them\n');
});

test('what a command leaves running does not keep others from the lock', async () => {
  const [mine, theirs] = fences('me', 'them') as [Fence, Fence];
  const first = take(mine);
  await says(first, 'taken');
  const { stdout } = run(mine, 'sleep 60 >/dev/null 2>&1 & echo $!');
  onTestFinished(() => {
    process.kill(Number(stdout));
  });
  first.child.stdin?.end();
  await ends(first);
  const second = take(theirs);
  await says(second, 'taken');
  expect(second.said()).toBe('taken\n');
});
