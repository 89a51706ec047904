import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { receiveScript } from './receive-file.ts';

function folderOfATest(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-receive-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('what is sent becomes the file, with its mode', () => {
  const file = path.join(folderOfATest(), 'a file');
  const text = 'pässword\n';
  const { status } = spawnSync('sh', ['-c', receiveScript({ path: file, text, mode: '600', owner: null })], {
    input: text,
  });
  expect(status).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(text);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('the end of a connection in the middle leaves what was there', () => {
  const folder = folderOfATest();
  const file = path.join(folder, 'secret');
  const text = 'the whole secret\n';
  const script = receiveScript({ path: file, text, mode: '600', owner: null });
  for (const input of ['', 'the who']) {
    const { status, stderr } = spawnSync('sh', ['-c', script], { input, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('did not arrive whole');
    expect(existsSync(file)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  }
});

test('a full disk leaves what was there, and is told as that', () => {
  const script = receiveScript({ path: '/f', text: 'x', mode: '600', owner: null });
  const full = script.replaceAll('/f.holdfast-new', '/dev/full');
  const { status, stderr } = spawnSync('sh', ['-c', full.replace('trap', 'true')], {
    input: 'x',
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/no space left on device/i);
});
