import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { waitFor } from '../../src/base/retry.ts';
import { PlainSentinels } from '../support/plain-sentinels.ts';
import { cleanUp, client, freePort, type Server, tempFolder } from '../support/redis-processes.ts';

/**
 * Every command of docs/running/gate-alone.md is run as it stands there, with other ports and folders: against Sentinels
 * without passwords, and those with a password file against Sentinels that want one.
 */
const page = readFileSync('docs/running/gate-alone.md', 'utf8');
const blocks = [...page.matchAll(/^```(\w*)\n(.*?)^```/gms)].map(([, language = '', text = '']) => ({
  language,
  text,
}));
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ text }) =>
    text
      .replaceAll(/\\\n\s*/g, '')
      .trim()
      .split('\n'),
  );
const rules = blocks.filter(({ text }) => text.startsWith('ACL ')).map(({ text }) => text.trim());

const password = 'PASSWORD';
let open: PlainSentinels;
let locked: PlainSentinels;
let folder = '';
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = tempFolder();
  for (const name of ['servers.password', 'sentinels.password'])
    writeFileSync(path.join(folder, name), `${password}\n`, { mode: 0o600 });
  [open, locked] = await Promise.all([
    PlainSentinels.start(),
    PlainSentinels.start({ sentinelPassword: password }),
  ]);
});
afterAll(async () => {
  for (const end of ends) await end();
  await cleanUp();
});

/** The command with the test's own addresses, ports and folders. */
function here(command: string, plain: PlainSentinels, port: number): string[] {
  const [sentinel] = plain.sentinels as [Server];
  return command
    .replace(/s1:26379,s2:26379,s3:26379/, plain.addresses)
    .replace('-h s1 -p 26379', `-p ${sentinel.port}`)
    .replace('-p 6380', `-p ${port}`)
    .replaceAll('/etc/holdfast/', `${folder}/`)
    .replace('--out /etc/systemd', '--out systemd')
    .split(' ')
    .filter((word) => word !== '');
}

async function run(words: string[]): Promise<string> {
  const [program, ...args] = words as [string, ...string[]];
  const { stdout } =
    program === 'holdfast'
      ? await promisify(execFile)(process.execPath, [path.resolve('dist/cli/main.js'), ...args], {
          cwd: folder,
        })
      : await promisify(execFile)(program, args, { cwd: folder });
  return stdout;
}

/** Starts a gate as the page says, and waits until it says what the page shows. */
async function serve(words: string[], port: number): Promise<void> {
  const listen = words.includes('--config') ? [] : ['--listen', `127.0.0.1:${port}`];
  const child = spawn(process.execPath, [path.resolve('dist/cli/main.js'), ...words.slice(1), ...listen], {
    cwd: folder,
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  ends.push(async () => {
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
  await waitFor(() => said.includes(`listening on 127.0.0.1:${port}`), {
    what: words.join(' '),
    withinMs: 60_000,
  });
}

test('the rules of the page are taken by a server, and do what it says', async () => {
  expect(rules.length).toBe(2);
  for (const server of locked.members) {
    for (const rule of rules) await locked.clientOf(server).call(...(rule.split(' ') as [string]));
  }
  const primary = locked.clientOf({ port: await locked.primary() } as Server);
  const dry = async (channel: string) =>
    String(
      await primary
        .call('ACL', 'DRYRUN', 'app', 'PUBLISH', channel, 'x')
        .catch((error: Error) => error.message),
    );
  expect(await dry('news')).toBe('OK');
  expect(await dry('_x')).toBe('OK');
  expect(await dry('__sentinel__:hello')).toMatch(/no permissions/);
});

test('the commands of the page work one after another', async () => {
  let port = 0;
  const seen: string[] = [];
  for (const command of commands) {
    const plain = command.includes('password') ? locked : open;
    if (command.includes('--print-config')) {
      const words = here(command.replace(' > gate.json', ''), plain, port);
      port = await freePort();
      writeFileSync(path.join(folder, 'gate.json'), await run([...words, '--listen', `127.0.0.1:${port}`]));
    } else if (command.startsWith('holdfast gate')) {
      if (!command.includes('--config')) port = await freePort();
      await serve(here(command, plain, port), port);
      const redis = client(port, { retryStrategy: () => 50, maxRetriesPerRequest: null });
      expect(await redis.set('written', command)).toBe('OK');
    } else {
      const before = await plain.primary();
      seen.push((await run(here(command, plain, port))).trim());
      // A gate that starts in the middle of it does not know the server that is being promoted.
      if (/failover/i.test(command)) await plain.settled(before);
    }
  }
  expect(seen.slice(0, 3)).toEqual(['OK', 'OK', 'hello']);
});

test('what is rendered is what the page says it is', () => {
  const file = (name: string) => readFileSync(path.join(folder, name), 'utf8');
  const unit = file('systemd/system/holdfast-gate-mymaster.service');
  expect(unit).toContain('LoadCredential=gate.json:/etc/holdfast/mymaster-gate.json');
  expect(existsSync(path.join(folder, 'systemd/holdfast/mymaster-gate.json'))).toBe(true);
  const compose = parse(file('gate-compose/compose.yaml')) as { services: { gate: { command: string[] } } };
  expect(compose.services.gate.command).toEqual(['gate', '--config', '/etc/holdfast/gate.json']);
  expect(JSON.parse(file('gate-compose/gate.json'))).toMatchObject({
    listen: { host: '0.0.0.0' },
    workers: 2,
  });
  const kinds = ['secrets.yaml', 'gates.yaml'].flatMap((name) =>
    parseAllDocuments(file(`gate-manifests/${name}`)).map((each) => each.get('kind')),
  );
  expect(kinds).toEqual(['Secret', 'Deployment', 'Service', 'PodDisruptionBudget']);
});
