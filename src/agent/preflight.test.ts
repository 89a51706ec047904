import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseSpec } from '../spec/parse.ts';
import { checkPorts, checkStateDir, wantedPorts } from './preflight.ts';

let base = '';
let root = '';
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'hf-preflight-'));
  root = path.join(base, 'state');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test('a state directory is made, and taken again', async () => {
  await checkStateDir(root);
  await checkStateDir(root);
});

test('one that everyone can write is refused', async () => {
  mkdirSync(root);
  chmodSync(root, 0o777);
  await expect(checkStateDir(root)).rejects.toThrow(/everyone can write/);
});

test.skipIf(process.getuid?.() !== 0)('so is one of another user', async () => {
  mkdirSync(root);
  chownSync(root, 12_345, 0);
  await expect(checkStateDir(root)).rejects.toMatchObject({
    code: 'STATE_DIR_UNUSABLE',
    message: expect.stringContaining('belongs to another user (uid 12345)'),
  });
});

test('every address of the API is looked at, and two that are the same in other words are refused', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ofApi = (bind: string) => {
    const spec = parseSpec(`name: orders\nagent: { bind: [${bind}], port: ${port} }\n`, 'holdfast.yaml');
    return wantedPorts(spec, 'local').filter(({ who }) => who === 'the API');
  };
  await expect(checkPorts(ofApi('127.0.0.2, 127.0.0.1'))).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringMatching(new RegExp(`^127.0.0.1:${port} for the API .* is taken`)),
  });
  await new Promise((resolve) => server.close(resolve));
  // As of two names of one address.
  const twice = [...ofApi('127.0.0.1'), ...ofApi('127.0.0.1')];
  await expect(checkPorts(twice)).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringMatching(
      /^127\.0\.0\.1:\d+ for the API .* is the same as 127\.0\.0\.1:\d+ for the API/,
    ),
  });
  await checkPorts(ofApi('127.0.0.1, 127.0.0.2'));
  await checkPorts(ofApi('127.0.0.1, 127.0.0.2'));
});
