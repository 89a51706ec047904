import { expect, test } from 'vitest';
import { parseSpec } from '../../spec/parse.ts';
import { gateMirror, gateRoute } from './gate-routes.ts';

const routeOf = (text: string) => {
  const spec = parseSpec(`name: x\ngate: { routes: { r: { prefixes: ['a:'], ${text} } } }`, 'x.yaml');
  return gateRoute(spec.gate.routes[0]!, { P: 'secret' });
};

test('a server with a user for everybody', () => {
  expect(
    routeOf('to: "rediss://app@[::1]:7", password: { env: P }, ca: /ca.pem, removePrefix: true'),
  ).toEqual({
    id: 'r',
    prefixes: ['a:'],
    removePrefix: true,
    readsHere: false,
    members: [{ id: '::1:7', address: '::1', port: 7 }],
    memberCredentials: { username: 'app', password: 'secret' },
    clientCredentials: { username: 'app', password: 'secret' },
    tls: { upstream: true, ca: '/ca.pem' },
  });
  expect(routeOf('to: "redis://h", password: { env: P }').clientCredentials?.username).toBe('default');
});

test('what Sentinels watch, where everybody is who they are', () => {
  expect(routeOf('to: "sentinel://h,i:7/orders"')).toMatchObject({
    deployment: 'orders',
    sentinels: [
      { address: 'h', port: 26_379 },
      { address: 'i', port: 7 },
    ],
    clientCredentials: null,
    tls: null,
  });
});

test('a mirror of requests is a server, its user, and which requests it gets', () => {
  const text = `name: x
mirrors: { n: { to: 'rediss://u@h:7', password: { env: P }, how: requests, writes: all, percentage: 5, prefixes: ['a:'] } }`;
  const { mirrors, gate } = parseSpec(text, 'x.yaml');
  expect(mirrors).toEqual([]);
  expect(gateMirror(gate.mirrors[0]!, { P: 'secret' })).toEqual({
    ...{ id: 'n', address: 'h', port: 7, prefixes: ['a:'], percentage: 5, copies: 'all' },
    credentials: { username: 'u', password: 'secret' },
    tls: { upstream: true },
  });
});
