import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readNamedFile, readSecretFile, whyNotOwnFolder, whyNotSafePlace } from './private-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-private-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function secret(mode: number): string {
  const file = path.join(folder, 'secret');
  writeFileSync(file, 'hunter2');
  chmodSync(file, mode);
  return file;
}

test.each([0o600, 0o400, 0o640])('a secret of mode %o is read', (mode) => {
  expect(readSecretFile(secret(mode)).toString()).toBe('hunter2');
});

test.each([
  [0o644, 'everyone can read it (mode 0644)'],
  [0o604, 'everyone can read it'],
  [0o620, 'others can write it (mode 0620)'],
])('a secret of mode %o is refused, and its text is not in the error', (mode, why) => {
  expect(() => readSecretFile(secret(mode))).toThrow(why);
  expect(() => readSecretFile(secret(mode))).toThrow(/^(?!.*hunter2)/);
});

test('a pipe is refused at once, whether or not somebody writes to it; so is what has no end', () => {
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', ['-m', '600', pipe]);
  for (const read of [readNamedFile, readSecretFile]) {
    expect(() => read(pipe)).toThrow('it is a pipe, and not a regular file');
    expect(() => read('/dev/zero')).toThrow('it is a device');
    expect(() => read(folder)).toThrow('it is a folder');
  }
  const long = secret(0o600);
  truncateSync(long, 2 ** 20 + 1);
  expect(() => readSecretFile(long)).toThrow('1.0 MiB at most');
});

test('what a link leads to counts, not the link, as Kubernetes mounts secrets', () => {
  const link = path.join(folder, 'link');
  symlinkSync(secret(0o440), link);
  expect(readSecretFile(link).toString()).toBe('hunter2');
  chmodSync(path.join(folder, 'secret'), 0o644);
  expect(() => readSecretFile(link)).toThrow('everyone can read it');
});

test('a folder is its owner’s when nobody else can write it', () => {
  expect(whyNotOwnFolder(folder)).toBeUndefined();
  chmodSync(folder, 0o770);
  expect(whyNotOwnFolder(folder)).toContain('others can write it');
  chmodSync(folder, 0o700);
  const link = `${folder}-link`;
  symlinkSync(folder, link);
  expect(whyNotOwnFolder(link)).toBe('it is not a folder');
  rmSync(link);
});

test.skipIf(process.getuid?.() !== 0)('a folder of another user is not, unless that one is expected', () => {
  chownSync(folder, 12_345, 0);
  expect(whyNotOwnFolder(folder)).toContain('belongs to another user (uid 12345)');
  expect(whyNotOwnFolder(folder, [12_345])).toBeUndefined();
});

test('a place is safe when nobody can put another in its place', () => {
  const deep = path.join(folder, 'a', 'b');
  mkdirSync(deep, { recursive: true });
  expect(whyNotSafePlace(deep)).toBeUndefined();
  chmodSync(path.join(folder, 'a'), 0o777);
  expect(whyNotSafePlace(deep)).toContain(`everyone can write ${path.join(folder, 'a')} (mode 0777)`);
  chmodSync(path.join(folder, 'a'), 0o1777);
  expect(whyNotSafePlace(deep)).toBeUndefined();
  expect(whyNotSafePlace(path.join(folder, 'a'))).toContain('everyone can write');
});
