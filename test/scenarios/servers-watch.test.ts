/** That the watch over servers reached by ssh finds what somebody shows: each way by which a secret gets out, one by one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets } from '../../src/spec/secrets.ts';
import { ServersWatch } from '../support/servers-watch.ts';

const hosts = ['a', 'b', 'c'].map((name, at) => `${name}: { address: 10.0.0.${at}, ssh: ${name} }`);
const specText = `name: orders\nhosts: { ${hosts.join(', ')} }\n`;
const secret = 'a-secret-that-nobody-else-has-made';
const { sentinelPassword, own } = deriveSecrets(parseSpec(specText, 'x.yaml'), secret, {});
const state = 'a/var/lib/holdfast/orders';

/** One server that does not run, as far as the watch is concerned. */
function servers() {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-watch-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (file: string, text: string, mode = 0o600) => {
    mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
    chmodSync(path.join(folder, file), mode);
  };
  write('holdfast.yaml', specText, 0o644);
  write('app', 'the-password-of-an-application\n');
  write(`${state}/secret`, `${secret}\n`);
  write(`${state}/members/redis-1/users.acl`, `user x on >${own.agent}\n`);
  write('a/etc/holdfast/orders.secrets/app', 'the-password-of-an-application\n');
  write('a/usr/local/nothing', '');
  const texts: string[] = [];
  const watch = new ServersWatch({
    ...{ names: ['a'], folder, sshCalls: path.join(folder, 'calls'), texts },
    ownFolders: ['/etc/redis'],
    fileOn: (name, file) => path.join(folder, name, file),
    runs: () => false,
    on: () => '',
  });
  const forget = () => {
    for (const file of ['app', 'a/etc/holdfast', 'a/var/lib/holdfast'])
      rmSync(path.join(folder, file), { recursive: true });
  };
  return { write, texts, watch, forget };
}
type Servers = ReturnType<typeof servers>;

/** A process with these words and this environment, as long as the test lasts. */
async function shows(words: string[], env: Record<string, string>): Promise<void> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', ...words], {
    env,
    stdio: 'ignore',
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child, 'spawn');
}

test.each<[string, (servers: Servers) => unknown, string]>([
  ['an argument', () => shows([`--password=${own.gate}`], {}), 'a process'],
  ['an environment', () => shows([], { REDISCLI_AUTH: String(sentinelPassword) }), 'a process'],
  [
    'what ssh is called with',
    ({ write }) => write('calls', `sh -c AUTH ${secret}`),
    'what ssh was called with',
  ],
  [
    'what was said',
    ({ texts }) => texts.push(`refused: ${own.replication}`),
    'a text that begins with: refused',
  ],
  ['a log', ({ write }) => write(`${state}/members/redis-1/log`, `user x >${own.agent}`), 'redis-1/log'],
  ['events', ({ write }) => write(`${state}/events.jsonl`, 'the-password-of-an-application'), 'events.jsonl'],
  [
    'a file that others may read',
    ({ write }) => write(`${state}/secret`, `${secret}\n`, 0o640),
    'a file of a: 640',
  ],
])('%s', async (_, show, found) => {
  const all = servers();
  await show(all);
  await expect(all.watch.nothingWasShown()).rejects.toThrow(found);
});

test('nothing, where nothing is to be hidden', async () => {
  const { watch, forget } = servers();
  forget();
  await watch.nothingWasShown();
});

test('nothing, where everything lies as it should', async () => {
  const { watch, write } = servers();
  await shows(['--password', 'of nobody'], {});
  write('a/etc/redis/redis.conf', 'requirepass the-password-of-an-application\n');
  await watch.nothingWasShown();
});
