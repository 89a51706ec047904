import { expect, test } from 'vitest';
import { parseSpec } from '../../spec/parse.ts';
import {
  type AddressHost,
  addressFiles,
  addressSteps,
  addressTexts,
  describeAddress,
} from './virtual-address.ts';

function specOf(more: string) {
  const host = (name: string, last: number) =>
    `${name}: { address: 10.0.1.${last}, ssh: ${name}, bind: 0.0.0.0 }`;
  const hosts = [host('a', 1), host('b', 2), host('c', 3)].join(', ');
  return parseSpec(`name: orders\nhosts: { ${hosts} }\n${more}`, 'holdfast.yaml');
}
const spec = specOf('gate: { on: [a, b], virtualAddress: 10.0.1.200/24 }');
const on = (host: string, more: Partial<AddressHost> = {}): AddressHost => {
  return { host, systemd: false, device: 'ens5', ...more };
};

test('hosts with a gate get a configuration for the interface that has their address', () => {
  const [[path, text] = ['', '']] = addressTexts(spec, on('b'));
  expect(path).toBe('/etc/holdfast/orders.keepalived.conf');
  for (const line of ['interface ens5', 'unicast_src_ip 10.0.1.2', 'priority 199', 'script_user nobody'])
    expect(text).toContain(`    ${line}\n`);
  const ask = (cli: string) => `timeout 2 ${cli} -h 127.0.0.1 -p 6380 PING`;
  expect(text).toContain(`; ${ask('redis-cli')} || ${ask('valkey-cli')}'"\n`);
  expect(addressTexts(spec, on('c'))).toEqual([]);
  expect(addressTexts(specOf(''), on('a'))).toEqual([]);
});

test('the gate is asked with a certificate where it speaks TLS only', () => {
  const tls = specOf(
    'gate: { virtualAddress: 10.0.1.200 }\nsecurity: { tls: { cert: /c.pem, key: /k.pem, ca: /a.pem } }',
  );
  const text = addressTexts(tls, on('a'))[0]?.[1];
  expect(text).toContain('--tls --cacert /a.pem --cert /c.pem --key /k.pem PING');
  expect(text).toContain('script_user holdfast');
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
  expect(text).toContain(`--use-file ${conf} --pid`);
});

test('who was told something else is told, and who should know of none is stopped', () => {
  const hosts = [
    { host: 'a', wanted: 'new', told: 'old', isHeld: false },
    { host: 'b', wanted: 'new', told: 'new', isHeld: false },
    { host: 'c', wanted: null, told: 'old', isHeld: true },
    { host: 'd', wanted: 'new', told: null, isHeld: false },
    { host: 'e', wanted: null, told: null, isHeld: true },
    { host: 'f', wanted: 'new', told: 'new', isHeld: true },
  ];
  const steps = addressSteps(hosts);
  expect(steps).toEqual([
    { host: 'a', does: 'take-up', frees: false },
    { host: 'c', does: 'give-up', frees: false },
    { host: 'd', does: 'take-up', frees: false },
    { host: 'f', does: 'take-up', frees: true },
  ]);
  const [told, stopped, , freed] = steps.map(describeAddress);
  expect(told).toBe('host a: keepalived is told of the virtual address');
  expect(stopped).toBe('host c: keepalived is stopped for the virtual address');
  expect(freed).toContain('setsebool -P keepalived_connect_any on');
});
