import { expect, test } from 'vitest';
import { parseSpec } from '../../spec/parse.ts';
import { type AddressHost, addressFiles, addressSteps, addressTexts } from './virtual-address.ts';

function specOf(more: string) {
  const host = (name: string, last: number) =>
    `${name}: { address: 10.0.1.${last}, ssh: ${name}, bind: 0.0.0.0 }`;
  const hosts = [host('a', 1), host('b', 2), host('c', 3)].join(', ');
  return parseSpec(`name: orders\nhosts: { ${hosts} }\n${more}`, 'holdfast.yaml');
}
const spec = specOf('gate: { on: [a, b], virtualAddress: 10.0.1.200/24 }');
const on = (host: string, more: Partial<AddressHost> = {}): AddressHost => {
  return { host, systemd: false, programs: new Set(['redis-cli']), device: 'ens5', ...more };
};

test('hosts with a gate get a configuration for the interface that has their address', () => {
  const [[path, text] = ['', '']] = addressTexts(spec, on('b'));
  expect(path).toBe('/etc/holdfast/orders.keepalived.conf');
  for (const line of ['interface ens5', 'unicast_src_ip 10.0.1.2', 'priority 199', 'script_user nobody'])
    expect(text).toContain(`    ${line}\n`);
  expect(text).toContain('/usr/bin/redis-cli -h 127.0.0.1 -p 6380 PING');
  expect(addressTexts(spec, on('c'))).toEqual([]);
  expect(addressTexts(specOf(''), on('a'))).toEqual([]);
});

test('the gate is asked with what is there, and with a certificate where it speaks TLS only', () => {
  const text = (of: typeof spec, programs: string[]) =>
    addressTexts(of, on('a', { programs: new Set(programs) }))[0]?.[1];
  expect(text(spec, ['valkey-cli'])).toContain('/usr/bin/valkey-cli -h');
  expect(text(spec, [])).toContain('/usr/bin/redis-cli -h');
  const valkey = specOf('redis: { engine: valkey }\ngate: { virtualAddress: 10.0.1.200 }');
  expect(text(valkey, [])).toContain('/usr/bin/valkey-cli -h');
  const tls = specOf(
    'gate: { virtualAddress: 10.0.1.200 }\nsecurity: { tls: { cert: /c.pem, key: /k.pem, ca: /a.pem } }',
  );
  expect(text(tls, [])).toContain('--tls --cacert /a.pem --cert /c.pem --key /k.pem PING');
  expect(text(tls, [])).toContain('script_user holdfast');
});

test('an interface that nobody can find has to be named', () => {
  expect(() => addressTexts(spec, on('a', { device: null }))).toThrow(/host a has no network interface/);
  const named = specOf('gate: { virtualAddress: { address: 10.0.1.200/24, interface: bond0 } }');
  expect(addressTexts(named, on('a', { device: null }))[0]?.[1]).toContain('interface bond0');
});

test('where systemd runs it starts keepalived, from a copy of what it was told', () => {
  const [, [path, text] = ['', '']] = addressTexts(spec, on('a', { systemd: true }));
  expect(path).toBe('/etc/systemd/system/holdfast-orders-address.service');
  const { conf, told } = addressFiles(spec);
  expect(text).toContain(`ExecReload=/bin/cp ${conf} ${told}\nExecReload=/bin/kill -HUP $MAINPID`);
  expect(text).toContain(`--use-file ${told} --pid`);
});

test('who was told something else is told, and who should know of none is stopped', () => {
  const hosts = [
    { host: 'a', wanted: 'new', told: 'old' },
    { host: 'b', wanted: 'new', told: 'new' },
    { host: 'c', wanted: null, told: 'old' },
    { host: 'd', wanted: 'new', told: null },
    { host: 'e', wanted: null, told: null },
  ];
  expect(addressSteps(hosts)).toEqual([
    { host: 'a', does: 'take-up' },
    { host: 'c', does: 'give-up' },
    { host: 'd', does: 'take-up' },
  ]);
});
