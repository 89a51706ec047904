import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { KeyList } from './key-list.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-keys-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function read(list: KeyList): Promise<string[]> {
  const found: string[] = [];
  for await (const { db, keys } of list.read()) found.push(...keys.map((key) => `${db} ${key}`));
  return found;
}

test('what was added is read again, by another process too, without what was taken back or is not whole', async () => {
  const file = path.join(folder, 'list');
  const list = new KeyList(file);
  expect(await read(list)).toEqual([]);
  const key = (db: number, text: string) => ({ db, key: Buffer.from(text) });
  await list.add([key(0, 'a'), key(0, ''), key(3, 'b')]);
  await list.add([key(0, 'c')]);
  await list.takeBack([key(3, 'b')]);
  await list.close();
  appendFileSync(file, Buffer.from([0, 0, 0, 0, 9, 0, 0, 0, 1]));
  const next = new KeyList(file);
  expect(await read(next)).toEqual(['0 a', '0 ', '0 c']);
  await next.forget();
  expect(await read(next)).toEqual([]);
});
