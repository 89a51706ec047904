/**
 * Servers reached by ssh, and who gets in: an API that other machines reach, agents that know each other by certificates,
 * clients with certificates and passwords that change, and an address that moves. Minutes: npm test -- --whole.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { waitFor } from '../../src/base/retry.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets, type Secrets } from '../../src/spec/secrets.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { makeCertificates } from '../support/certificates.ts';
import { allCounted, writeFleetSpec, writeLoad } from '../support/fleet.ts';
import { SshServers } from '../support/ssh-servers.ts';
import { farOff, farOffWait, whyNotUsual } from '../support/whole-run.ts';

const hosts = ['a', 'b', 'c'];
const skipped = whyNotUsual ?? whyNoNetworkHosts();
const timeout = farOff;
const virtualAddress = '10.77.0.200';
const answered = /PONG|NOAUTH/;

describe.skipIf(skipped !== null)('who gets into servers reached by ssh', () => {
  let servers: SshServers;
  const here = (name: string) => path.join(servers.folder, name);
  const there = '/etc/holdfast/orders.secrets';
  const password = () => readFileSync(here('app'), 'utf8').trim();
  const login = () => ({
    username: 'app',
    password: password(),
    pair: readFileSync(here('shop.pem'), 'utf8'),
  });

  beforeAll(async () => {
    servers = new SshServers(hosts);
    await servers.start();
    writeFileSync(here('app'), 'the-first-password-of-app\n', { mode: 0o600 });
    chmodSync(here('app'), 0o600);
    writeFleetSpec(servers, {
      on: hosts,
      bind: '0.0.0.0',
      more: {
        gate: { on: ['a', 'b'], virtualAddress: `${virtualAddress}/24`, clientCertificates: 'required' },
        agent: { bind: '0.0.0.0' },
        security: {
          tls: 'auto',
          users: { app: { password: { file: 'app' }, acl: '~* +@all -@dangerous +info' } },
        },
      },
    });
    const { status, stderr } = await servers.holdfast(['apply', '--yes']);
    expect(stderr).not.toContain('error');
    expect(status).toBe(0);
    const made = await servers.holdfast(['certs', 'client', 'shop', '--out', 'shop.pem']);
    expect(made.status).toBe(0);
  }, timeout);
  afterAll(() => servers?.destroy(), timeout);

  async function isWhole(): Promise<void> {
    const { stdout } = await servers.holdfast(['status', '--json']);
    expect((JSON.parse(stdout) as Status).state).toBe('healthy');
    expect((await servers.holdfast(['apply', '--yes'])).stdout).toContain('Nothing to do');
  }

  /** What the gate at an address says to a client of another machine. */
  function ping(address: string, options: string): string {
    const [program = '', ...on] = servers.network.on('laptop');
    const script = `redis-cli -h ${address} -p 6380 ${options} PING 2>&1 || true`;
    return execFileSync(program, [...on, 'sh', '-c', script], { encoding: 'utf8', cwd: servers.folder });
  }
  const withCertificate = '--tls --cacert orders.tls/ca.pem --cert shop.pem --key shop.pem';

  /** The certificate and key of a host. */
  const pairOf = (host: string) => servers.fileOn(host, `${there}/tls-host.pem`);

  /** What the agent of a host answers to another one; 0: nothing. @param pair the file of the certificate that is shown */
  function askApi(from: string, to: string, at: string, token: string, pair: string | null) {
    const script = `const { readFileSync } = require('node:fs');
      const { token, ca, pair, ...options } = JSON.parse(readFileSync(0, 'utf8'));
      const read = (file) => file && readFileSync(file);
      const headers = { authorization: 'Bearer ' + token };
      require('node:https').get({ ...options, ca: read(ca), cert: read(pair), key: read(pair), headers }, async (answer) => {
        let text = '';
        for await (const piece of answer) text += piece;
        console.log(JSON.stringify({ status: answer.statusCode, text }));
      }).on('error', ({ message }) => console.log(JSON.stringify({ status: 0, text: message })));`;
    const asked = {
      host: servers.network.addressOf(to),
      port: 7080,
      path: at,
      token,
      ca: here('orders.tls/ca.pem'),
      pair,
    };
    const [program = '', ...on] = servers.network.on(from);
    const answer = execFileSync(program, [...on, process.execPath, '-e', script], {
      encoding: 'utf8',
      input: JSON.stringify(asked),
    });
    return JSON.parse(answer) as { status: number; text: string };
  }

  /** The deployment's, or those of one that has the same name and another secret. */
  function secretsOf(secret = servers.on('a', 'cat /var/lib/holdfast/orders/secret').trim()) {
    const spec = parseSpec(servers.on('a', 'cat /etc/holdfast/orders.yaml'), 'orders.yaml');
    return deriveSecrets(spec, secret, { app: secret });
  }

  /** Who has the virtual address. */
  const holders = () =>
    hosts.filter((host) => servers.on(host, 'ip -o addr show dev eth0').includes(`${virtualAddress}/`));

  test('a second apply has nothing to do; agents see each other with certificates, and nobody with their token alone', {
    timeout,
  }, async () => {
    await isWhole();
    const { agentToken, apiToken } = secretsOf();
    const ask = (token: string, pair: string | null) =>
      askApi('b', 'a', '/api/hosts/here', token, pair).status;
    expect(ask(agentToken, null)).toBe(403);
    expect(ask(agentToken, pairOf('b'))).toBe(200);
    expect(ask(apiToken, null)).toBe(200);
    const view = askApi('c', 'c', '/api/view', apiToken, null).text;
    const { hosts: seen } = JSON.parse(view) as { hosts: { id: string; missing: string | null }[] };
    expect(seen.map(({ id, missing }) => [id, missing])).toEqual(hosts.map((id) => [id, null]));
  });

  /** Which ports take a login and a PING from another machine, and the API an agent of host b. */
  function letIn(secrets: Secrets, app: string, options: string, pair: string | null): string[] {
    const [program = '', ...on] = servers.network.on('laptop');
    const address = servers.network.addressOf('a');
    const logins = {
      6379: `holdfast-agent ${secrets.own.agent}`,
      26379: secrets.sentinelPassword,
      6380: `app ${app}`,
      6381: `app ${app}`,
    };
    const open = Object.entries(logins).filter(([port, login]) => {
      const script = `redis-cli -h ${address} -p ${port} ${options} 2>&1 || true`;
      const asked = { encoding: 'utf8', cwd: servers.folder, input: `AUTH ${login}\nPING\n` } as const;
      return /^(OK|PONG)/m.test(execFileSync(program, [...on, 'sh', '-c', script], asked));
    });
    const { status } = askApi('b', 'a', '/api/hosts/here', secrets.agentToken, pair);
    return [...open.map(([port]) => port), ...(status === 200 ? ['7080'] : [])];
  }

  test('no port lets in a plain client, who shows a wrong certificate, or an agent of another deployment', {
    timeout,
  }, () => {
    const right = secretsOf();
    const names = hosts.map((host) => servers.network.addressOf(host));
    const { cert, key } = makeCertificates(servers.folder, names);
    writeFileSync(here('foreign.pem'), readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
    const foreign = '--tls --cacert orders.tls/ca.pem --cert foreign.pem --key foreign.pem';
    const everyPort = ['6379', '6380', '6381', '26379', '7080'];
    expect(letIn(right, password(), withCertificate, pairOf('b'))).toEqual(everyPort);
    expect(letIn(right, password(), '', null)).toEqual([]);
    expect(letIn(right, password(), foreign, here('foreign.pem'))).toEqual([]);
    const other = secretsOf('the secret of another deployment');
    expect(letIn(other, 'its app', foreign, here('foreign.pem'))).toEqual([]);
    // With a certificate from here, or none where none is asked for, it still has the passwords of another deployment.
    expect(letIn(other, 'its app', withCertificate, pairOf('b'))).toEqual([]);
    expect(letIn(other, 'its app', '--tls --cacert orders.tls/ca.pem', null)).toEqual([]);
    const plain = `fetch('http://${servers.network.addressOf('a')}:7080/livez').then(() => console.log('in'), () => {})`;
    const [program = '', ...on] = servers.network.on('laptop');
    expect(execFileSync(program, [...on, process.execPath, '-e', plain], { encoding: 'utf8' })).toBe('');
  });

  test('one host has the virtual address; clients reach the gate there, with a certificate of the deployment only', {
    timeout,
  }, async () => {
    await waitFor(() => holders().length === 1, { what: 'the virtual address', withinMs: farOffWait });
    expect(ping(virtualAddress, withCertificate)).toMatch(answered);
    expect(ping(virtualAddress, '--tls --cacert orders.tls/ca.pem')).not.toMatch(answered);
    expect(ping(virtualAddress, '')).not.toMatch(answered);
  });

  test('passwords of applications are rotated under load', { timeout }, async () => {
    const before = password();
    const load = await writeLoad(servers, 'b', login());
    const { status, stderr } = await servers.holdfast(['rotate', 'users', '--yes']);
    expect(stderr).not.toContain('error');
    expect(status).toBe(0);
    const after = password();
    expect(after).not.toBe(before);
    const logins = (word: string) =>
      hosts.map(
        (host) =>
          servers
            .on(
              host,
              `redis-cli -h ${servers.network.addressOf(host)} -p 6379 --tls --cacert ${there}/tls-ca.pem`,
              `AUTH app ${word}\n`,
            )
            .trim()
            .split(' ')[0],
      );
    expect(logins(before)).toEqual(['OK', 'OK', 'OK']);
    expect(logins(after)).toEqual(['OK', 'OK', 'OK']);
    await allCounted(load);
    await isWhole();
    const second = await writeLoad(servers, 'b', login());
    const finished = await servers.holdfast(['rotate', 'users', '--yes', '--finish']);
    expect(finished.stderr).not.toContain('error');
    await allCounted(second);
    expect(logins(before)).toEqual(['WRONGPASS', 'WRONGPASS', 'WRONGPASS']);
    expect(logins(after)).toEqual(['OK', 'OK', 'OK']);
    await isWhole();
  });

  test('the address moves when its gate is gone, and when its host is; apply brings it back to who is there', {
    timeout,
  }, async () => {
    const [first = ''] = holders();
    const gate = first === 'a' ? 'gate-1' : 'gate-2';
    // The agent would start it again before anybody misses it.
    servers.on(
      first,
      `kill -KILL $(sed -n 's/.*"pid":\\([0-9]*\\).*/\\1/p' /var/lib/holdfast/orders/agent.json) $(pgrep -f '[${gate[0]}]${gate.slice(1)}')`,
    );
    await waitFor(() => holders().join() === (first === 'a' ? 'b' : 'a'), {
      what: 'the address to move',
      withinMs: farOffWait,
      everyMs: 200,
    });
    expect(ping(virtualAddress, withCertificate)).toMatch(answered);
    expect((await servers.holdfast(['apply', '--yes'])).stderr).not.toContain('error');
    await isWhole();
    const [second = ''] = holders();
    await servers.kill(second);
    await waitFor(() => answered.test(ping(virtualAddress, withCertificate)), {
      what: 'the gate of the other host at the address',
      withinMs: farOffWait,
      everyMs: 200,
    });
    await servers.boot(second);
    const { stderr } = await servers.holdfast(['apply', '--yes']);
    expect(stderr).not.toContain('error');
    await isWhole();
  });

  test('without the address in the spec keepalived is stopped', { timeout }, async () => {
    const file = here('holdfast.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^ {2}virtualAddress: .*\n/m, ''));
    const { stdout, stderr } = await servers.holdfast(['apply', '--yes']);
    expect(stderr).not.toContain('error');
    expect(stdout).toContain('keepalived is stopped');
    expect(stdout).not.toContain('restart gate');
    expect(holders()).toEqual([]);
    await isWhole();
  });
});
