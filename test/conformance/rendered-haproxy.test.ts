import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { freePorts } from '../../src/process/free-ports.ts';
import { renderHaproxyCfg } from '../../src/render/haproxy-cfg.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets, type Secrets } from '../../src/spec/secrets.ts';
import type { GatePlace, Member, Spec } from '../../src/spec/spec.ts';
import { RenderedServers } from '../support/rendered-servers.ts';

let servers: RenderedServers | undefined;
let haproxy: ChildProcess | undefined;
afterEach(async () => {
  const child = haproxy;
  haproxy = undefined;
  if (child && child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
  await servers?.stop();
  servers = undefined;
});

/** Writes the configuration and has HAProxy itself check it. @returns the file. */
function write(servers: RenderedServers, spec: Spec, secrets: Secrets): string {
  const file = path.join(servers.folder, 'haproxy.cfg');
  const adminSocket = path.join(servers.folder, 'admin socket');
  const gate = spec.gates[0] as GatePlace;
  writeFileSync(file, renderHaproxyCfg({ spec, gate, secrets, adminSocket }), { mode: 0o600 });
  const said = execFileSync('haproxy', ['-c', '-V', '-f', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(said).toContain('Configuration file is valid');
  expect(said).not.toMatch(/WARNING|ALERT/);
  return file;
}

async function whoAnswers(door: Redis): Promise<string> {
  const [, port] = /tcp_port:(\d+)/.exec(await door.info('server')) ?? [];
  return port ?? '';
}

/** Who a new connection ends up at. */
async function askAnew(port: number): Promise<string> {
  const door = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  door.on('error', () => {});
  try {
    await door.connect();
    return await whoAnswers(door);
  } finally {
    door.disconnect();
  }
}

test('the doors lead to the primary and to replicas, and follow a change', async () => {
  const port = await freePorts(9);
  const spec = parseSpec(
    `name: t\nredis: { members: 2, port: ${port} }\nsentinel: { port: ${port + 2} }\n` +
      `gate: { kind: haproxy, port: ${port + 5}, statsPort: ${port + 7} }\nagent: { port: ${port + 8} }`,
    't.yaml',
  );
  const derived = deriveSecrets(spec, 's', {});
  const secrets = { ...derived, own: { ...derived.own, gate: `p"a\\s$s #w'ö rd` } };
  servers = new RenderedServers(spec, secrets);
  const [first, second] = spec.members as [Member, Member];
  servers.startMember(first, null);
  servers.startMember(second, first);
  haproxy = spawn('haproxy', ['-f', write(servers, spec, secrets)], { stdio: 'ignore' });
  const [rw, ro] = [port + 5, port + 6];
  const leadsTo = (door: number, member: Member, withinMs = 60_000) =>
    waitFor(async () => (await askAnew(door)) === String(member.port), {
      what: `door ${door} to lead to ${member.id}`,
      withinMs,
    });
  await leadsTo(rw, first);
  await leadsTo(ro, second);
  expect(await (await fetch(`http://127.0.0.1:${port + 7}/;csv`)).text()).toContain('rw,redis-1');

  // The primary becomes a replica of the other: connections to it are shut, and both doors turn round.
  const before = await servers.connect(rw);
  const cut = new Promise((resolve) => before.once('close', resolve));
  const [old, fresh] = [await servers.connect(first.port), await servers.connect(second.port)];
  await fresh.call('REPLICAOF', 'NO', 'ONE');
  await old.call('REPLICAOF', '127.0.0.1', String(second.port));
  await cut;
  await leadsTo(rw, second);
  await leadsTo(ro, first);

  // Without a replica, the read-only port leads to the primary.
  await servers.stopOne(first.id, 'SIGKILL');
  await leadsTo(ro, second);
});

const hosts = (address: (host: string) => string) =>
  `hosts: { a: { address: "${address('a')}" }, b: { address: "${address('b')}" }, c: { address: "${address('c')}" } }\n`;

test.each([
  ['quickstart', () => readFileSync('examples/quickstart.yaml', 'utf8')],
  ['three hosts', () => readFileSync('examples/three-hosts.yaml', 'utf8')],
  ['hostnames', () => `name: x\n${hosts((host) => `${host}.invalid`)}gate: { kind: haproxy }`],
  ['IPv6', () => `name: x\n${hosts((host) => `fd00::${host}`)}`],
  [
    'all interfaces',
    () => `name: x\n${hosts((h) => `fd00::${h}`).replace('fd00::a"', 'fd00::a", bind: ["::", 0.0.0.0]')}`,
  ],
  ['one door', () => 'name: x\ngate: { kind: haproxy, replicaPort: none, statsPort: none, workers: 2 }'],
])('haproxy -c accepts what is rendered for %s', (_name, text) => {
  const spec = parseSpec(text(), 'x.yaml');
  const secrets = deriveSecrets(spec, 's', {});
  servers = new RenderedServers(spec, secrets);
  expect(write(servers, spec, secrets)).toMatch(/haproxy\.cfg$/);
});
