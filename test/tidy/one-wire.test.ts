import { expect, test } from 'vitest';
import { readProjectFile, sourceFiles } from './source.ts';

/** What runs in production: neither tests nor the page. */
const production = sourceFiles('src').filter(({ name }) => !name.endsWith('.test.ts'));

test('production imports no package that only tests have', () => {
  const { devDependencies } = JSON.parse(readProjectFile('package.json')) as {
    devDependencies: Record<string, string>;
  };
  const wrong = production.flatMap(({ name, text }) =>
    [...text.matchAll(/(?:from|import\()\s*'((?:@[^/']+\/)?[^./'][^/']*)/g)]
      .map((match) => match[1] as string)
      .filter((imported) => imported in devDependencies)
      .map((imported) => `${name} imports ${imported}`),
  );
  expect(wrong).toEqual([]);
});

test('one client of RESP: only the gate, which hands bytes on, frames replies beside it', () => {
  const framing = production.filter(
    ({ name, text }) => /\bframeReply\(/.test(text) && !/^src\/resp\//.test(name),
  );
  expect(framing.map(({ name }) => name)).toEqual(['src/gate/upstream/upstream.ts']);
});

test('one decoder of INFO and of what Sentinels say', () => {
  const fields =
    /slave_repl_offset|master-link-down-time|info-refresh|\bsentinel_tilt|valkey_version|role-reported/;
  const decoding = production.filter(
    ({ name, text }) => fields.test(text) && !/^src\/(redis|render)\//.test(name),
  );
  expect(decoding.map(({ name }) => name)).toEqual([]);
});

test('errors go over sockets and out of --json by one pair of functions', () => {
  const own = production.filter(
    ({ name, text }) => /'INTERNAL'|new HoldfastError\(/.test(text) && !/^src\/base\/error/.test(name),
  );
  expect(own.map(({ name }) => name)).toEqual([]);
});

test('text of the command line leaves for a terminal in one place, where what is not ours is made fit to be shown', () => {
  const writing = production.filter(
    ({ name, text }) => /^src\/cli\//.test(name) && /\b(stdout|stderr)\.write\(/.test(text),
  );
  // The second writes RDB files.
  expect(writing.map(({ name }) => name)).toEqual(['src/cli/output.ts', 'src/cli/rdb-output.ts']);
  const colouring = production.filter(({ text }) => text.includes("'picocolors'"));
  expect(colouring.map(({ name }) => name)).toEqual(['src/cli/colors.ts']);
});
