import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { catchWords } from '../../test/support/caught-words.ts';
import { targets } from '../render/targets.ts';
import { runProgram } from './program.ts';

let folder = '';
const { printed, said } = catchWords();

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-render-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const quickstart = 'examples/quickstart.yaml';
const render = (...args: string[]) =>
  runProgram(['render', ...args, '--state-dir', path.join(folder, 'state')]);

test('what is printed has no password in it, and says so', async () => {
  expect(await render('redis', quickstart)).toBe(0);
  expect(printed()).toContain('# ==> redis-1/redis.conf <==');
  expect(printed()).toContain('masterauth "<password of holdfast-replication>"');
  expect(said()).toContain('--out DIR writes files with the real ones');
});

test('files have the real passwords, for their owner only, and are written once', async () => {
  const out = path.join(folder, 'out');
  expect(await render('redis', quickstart, '--out', out)).toBe(0);
  const file = path.join(out, 'redis-2', 'redis.conf');
  expect(readFileSync(file, 'utf8')).toMatch(/^masterauth [\w-]{43}$/m);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await render('redis', quickstart, '--out', out)).toBe(0);
  expect(printed().match(/^unchanged /gm)).toHaveLength(6);

  writeFileSync(file, 'my own');
  expect(await render('redis', quickstart, '--out', out)).toBe(1);
  expect(said()).toContain('[WOULD_OVERWRITE]');
  expect(readFileSync(file, 'utf8')).toBe('my own');
  expect(await render('redis', quickstart, '--out', out, '--yes')).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('port 7102');
});

test('--host renders one host’s share; a host or target that is not there is named', async () => {
  expect(await render('sentinel', 'examples/three-hosts.yaml', '--host', 'b')).toBe(0);
  expect(printed()).toContain('announce-ip 10.0.1.156');
  expect(printed()).not.toContain('announce-ip 10.0.1.55');
  expect(await render('sentinel', 'examples/three-hosts.yaml', '--host', 'd')).toBe(2);
  expect(await render('sentinal', quickstart)).toBe(2);
  expect(said()).toContain("did you mean 'sentinel'?");
});

/** Keepalived's takes its address from the spec, which has none. */
const withoutQuestions = targets.filter(
  ({ name, options = [] }) => name !== 'keepalived' && options.every((each) => each.default !== undefined),
);

test.each(withoutQuestions.map(({ name }) => name))(
  'render %s --json is one document with the files',
  async (name) => {
    expect(await render(name, 'examples/three-hosts.yaml', '--host', 'a', '--json')).toBe(0);
    const { target, files } = JSON.parse(printed()) as {
      target: string;
      files: { name: string; text: string }[];
    };
    expect(target).toBe(name);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(file.text).toMatch(/\n$/);
  },
);
