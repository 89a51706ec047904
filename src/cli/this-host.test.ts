import { expect, test } from 'vitest';
import { parseSpec } from '../spec/parse.ts';
import type { Host } from '../spec/spec.ts';
import { hostHere, isThisMachine, type Whereabouts } from './this-host.ts';

const where: Whereabouts = {
  addresses: ['10.0.1.55', 'fd00::1', 'fe80::fc:ff:fe00:1'],
  name: 'redis-a',
  resolve: async (name) => {
    const known: Record<string, string[]> = { 'a.example': ['10.0.1.55'], 'b.example': ['10.0.1.156'] };
    const found = known[name];
    if (!found) throw new Error('ENOTFOUND');
    return found;
  },
};

test.each<[address: string, bind: string[] | null, answer: boolean | null]>([
  ['10.0.1.55', null, true],
  ['10.0.1.156', null, false],
  ['fd00:0:0::1', null, true],
  ['fd00::2', null, false],
  ['127.0.0.1', null, true],
  ['a.example', null, true],
  ['b.example', null, false],
  ['nowhere.example', null, null],
  ['redis-a', null, true],
  // Behind a router that has the address.
  ['203.0.113.9', ['10.0.1.55'], true],
  ['203.0.113.9', ['10.0.1.77'], false],
  ['203.0.113.9', ['0.0.0.0', '127.0.0.1'], null],
])('%s listening on %j: %s', async (address, bind, answer) => {
  const host: Host = { id: 'a', address, bind, ssh: null };
  expect(await isThisMachine(host, where)).toBe(answer);
});

const spec = parseSpec(
  'name: orders\nhosts: { a: { address: 10.0.1.55 }, b: { address: 10.0.1.156, ssh: me@b }, c: { address: 10.0.1.201 } }',
  'x.yaml',
);

test('the host is found by its address, and another one is refused with the command to run there', async () => {
  expect(await hostHere(spec, undefined, where)).toBe('a');
  expect(await hostHere(spec, 'a', where)).toBe('a');
  expect(await hostHere(spec, undefined, { ...where, addresses: ['10.9.9.9'] })).toBeNull();
  expect(await hostHere(parseSpec('name: x', 'x'), undefined, where)).toBe('local');
  await expect(hostHere(spec, 'b', where)).rejects.toMatchObject({
    code: 'NOT_THIS_HOST',
    exitStatus: 2,
    message:
      "host 'b' has the address 10.0.1.156, and this machine has 10.0.1.55, fd00::1, fe80::fc:ff:fe00:1",
    hint: expect.stringContaining('ssh me@b holdfast doctor /etc/holdfast/orders.yaml --host b'),
  });
  await expect(hostHere(spec, 'd', where)).rejects.toMatchObject({ code: 'UNKNOWN_HOST' });
});
