import { expect, test } from 'vitest';
import { apiAddressHere, apiUrl } from './api-address.ts';
import { parseSpec } from './parse.ts';

const spec = (bind: string) =>
  parseSpec(
    `name: orders\nhosts: { a: { address: 10.0.1.55 }, b: { address: "fd00::2" }, c: { address: 10.0.1.77 } }\nagent: { bind: ${bind} }\nsecurity: { secret: { file: /s } }`,
    'x.yaml',
  );

test.each([
  ['0.0.0.0', 'http://10.0.1.55:7080', 'http://[fd00::2]:7080', '127.0.0.1'],
  ['"::"', 'http://10.0.1.55:7080', 'http://[fd00::2]:7080', '127.0.0.1'],
  ['127.0.0.1', 'http://127.0.0.1:7080', 'http://127.0.0.1:7080', '127.0.0.1'],
  ['10.0.1.55', 'http://10.0.1.55:7080', 'http://10.0.1.55:7080', '10.0.1.55'],
  ['[10.0.1.55, 127.0.0.1]', 'http://10.0.1.55:7080', 'http://10.0.1.55:7080', '127.0.0.1'],
])('an API that listens on %s is asked at an address that answers', (bind, atA, atB, here) => {
  const { hosts, agent } = spec(bind);
  expect(hosts.slice(0, 2).map((host) => apiUrl({ agent }, host))).toEqual([atA, atB]);
  expect(apiAddressHere({ agent })).toBe(here);
});
