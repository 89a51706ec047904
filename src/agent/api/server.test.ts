import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ApiDouble, operateToken, readToken } from '../../../test/support/api-double.ts';
import { routes } from '../../api/routes.ts';
import { statePaths } from '../state/paths.ts';
import { guardedApi } from './server.ts';

interface Asked {
  method?: 'GET' | 'POST' | 'DELETE';
  from?: string;
  token?: string;
  authorization?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

const double = new ApiDouble();
const server = guardedApi(double.api, double.services);

function ask(
  url: string,
  { method = 'GET', from = '127.0.0.1', token, authorization, headers = {}, body }: Asked = {},
) {
  const shown = token === undefined ? authorization : `Bearer ${token}`;
  return server.inject({
    ...{ method, url, remoteAddress: from },
    headers: {
      host: '127.0.0.1:7080',
      ...(shown === undefined ? {} : { authorization: shown }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
}

const looks = ['/status', '/events', '/metrics', '/api/view', '/api/events', '/api/jobs', '/api/drills'];
const pause = { method: 'POST', body: { kind: 'pause' } } as const;

test('this machine may look without a token', async () => {
  for (const from of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    for (const url of looks) expect((await ask(url, { from })).statusCode, `${url} from ${from}`).toBe(200);
  }
});

test('other machines need a token, for everything but health', async () => {
  for (const from of ['10.0.0.9', 'fd00::9', '::ffff:10.0.0.9']) {
    for (const url of looks) {
      const refused = await ask(url, { from });
      expect(refused.statusCode, `${url} from ${from}`).toBe(401);
      expect(refused.headers['www-authenticate']).toBe('Bearer');
      expect(refused.json().error).toMatchObject({
        code: 'API_TOKEN_NEEDED',
        hint: expect.stringContaining('api-token'),
      });
      expect((await ask(url, { from, token: readToken })).statusCode).toBe(200);
    }
    expect((await ask('/health', { from })).json()).toEqual({ state: 'healthy' });
    expect((await ask('/livez', { from })).json()).toEqual({ ok: true, why: null });
    expect((await ask('/metrics', { from, token: readToken })).body).toBe('holdfast_epoch 1\n');
    expect((await ask('/status', { from, authorization: `bearer  ${readToken} ` })).statusCode).toBe(200);
  }
});

test('whatever changes something needs the role operate, from this machine too', async () => {
  for (const { method, path } of routes.filter(({ needs }) => needs === 'operate')) {
    const url = path.replace('{id}', 'none');
    expect((await ask(url, { method, body: { kind: 'pause' } })).statusCode, url).toBe(401);
    const wrong = { method, body: { kind: 'pause' }, token: 'wrong' };
    expect((await ask(url, wrong)).statusCode, url).toBe(401);
    const looking = await ask(url, { method, body: { kind: 'pause' }, token: readToken });
    expect(looking.statusCode, url).toBe(403);
    expect(looking.json().error.message).toContain('‘read’ may look');
  }
  const done = await ask('/api/operations', { ...pause, token: operateToken });
  expect(done.statusCode).toBe(202);
  expect(done.headers.location).toBe(`/api/jobs/${done.json().id}`);
  expect(done.json()).toMatchObject({ kind: 'pause', by: 'operate' });
});

test('what only looks like a token is refused', async () => {
  const looksLikeIt = ['', 'Bearer', 'Bearer ', readToken, `Basic ${readToken}`, `Bearer ${readToken}x`];
  for (const authorization of [...looksLikeIt, `Bearer ${readToken.slice(1)}`]) {
    double.nowMs += 61_000;
    expect((await ask('/status', { from: '10.0.0.9', authorization })).statusCode, authorization).toBe(401);
  }
});

test('a name that somebody lets resolve to this machine, and a page on another site, are refused', async () => {
  const refused: Record<string, string>[] = [
    { host: 'evil.example' },
    { host: 'evil.example:7080', origin: 'http://evil.example:7080' },
    { host: 'localhost.evil.example' },
    { host: 'user@127.0.0.1' },
    { origin: 'http://evil.example' },
    { origin: 'http://127.0.0.1:3000' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of refused) {
    for (const url of ['/api/view', '/status', '/metrics', '/api/session']) {
      const answer = await ask(url, { headers });
      expect(answer.statusCode, `${url} ${JSON.stringify(headers)}`).toBe(403);
      expect(answer.json().error.code).toBe('API_FORBIDDEN');
    }
  }
  const fine: Record<string, string>[] = [
    { host: 'localhost:7080' },
    { host: '[::1]:7080' },
    { host: '10.0.1.55:7080' },
    { host: 'DB1.example:7080' },
    { origin: 'http://127.0.0.1:7080', 'sec-fetch-site': 'same-origin' },
  ];
  for (const headers of fine) expect((await ask('/api/view', { headers })).statusCode).toBe(200);
  // A page can't make a browser show a token.
  expect((await ask('/api/view', { headers: { host: 'proxy.example' }, token: readToken })).statusCode).toBe(
    200,
  );
});

async function login(token: string) {
  const answer = await ask('/api/session', { method: 'POST', body: { token } });
  return { answer, cookie: String(answer.headers['set-cookie'] ?? '').split(';')[0] ?? '' };
}

test('a page logs in with a token, acts by its cookie, and not from elsewhere', async () => {
  const { answer, cookie } = await login(operateToken);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ role: 'operate', by: 'operate' });
  expect(answer.headers['set-cookie']).toMatch(
    /^holdfast-orders=.*; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
  );
  expect((await ask('/api/operations', { ...pause, headers: { cookie } })).statusCode).toBe(202);
  const elsewhere = { cookie, origin: 'http://127.0.0.1:3000' };
  expect((await ask('/api/operations', { ...pause, headers: elsewhere })).statusCode).toBe(403);
  // A form of another site can send no JSON.
  const form = { ...pause, headers: { cookie, 'content-type': 'text/plain' } };
  expect((await ask('/api/operations', form)).statusCode).toBe(415);
  const looking = await login(readToken);
  expect((await ask('/api/operations', { ...pause, headers: { cookie: looking.cookie } })).statusCode).toBe(
    403,
  );
  expect((await ask('/api/view', { from: '10.0.0.9', headers: { cookie: looking.cookie } })).statusCode).toBe(
    200,
  );
});

test('a session ends with its time, its owner, its token, and no other', async () => {
  const { cookie } = await login(operateToken);
  const [name = '', value = ''] = cookie.split(/=(.*)/s);
  for (const wrong of [`${value}x`, value.slice(1), `${value.split('.')[0]}.`, 'x.y', 'x'.repeat(5000)]) {
    const answer = await ask('/api/operations', { ...pause, headers: { cookie: `${name}=${wrong}` } });
    expect(answer.statusCode, wrong.slice(0, 80)).toBe(401);
  }
  const made = await double.tokens.make('alice', 'operate', double.nowMs);
  const alice = (await login(made)).cookie;
  expect((await ask('/api/operations', { ...pause, headers: { cookie: alice } })).json().by).toBe('alice');
  await double.tokens.revoke('alice');
  expect((await ask('/api/operations', { ...pause, headers: { cookie: alice } })).statusCode).toBe(401);
  await double.tokens.make('alice', 'operate', double.nowMs);
  expect((await ask('/api/operations', { ...pause, headers: { cookie: alice } })).statusCode).toBe(401);
  await ask('/api/session', { method: 'DELETE', headers: { cookie } });
  expect((await ask('/api/operations', { ...pause, headers: { cookie } })).statusCode).toBe(401);
  const later = (await login(operateToken)).cookie;
  double.nowMs += 13 * 3600_000;
  expect((await ask('/api/operations', { ...pause, headers: { cookie: later } })).statusCode).toBe(401);
});

test('wrong tokens can be tried a few times a minute', async () => {
  double.nowMs += 3600_000;
  const { audited } = double;
  const before = audited.length;
  const tries = await Promise.all(Array.from({ length: 8 }, () => login('wrong')));
  expect(tries.map(({ answer }) => answer.statusCode)).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  expect((await login(operateToken)).answer.statusCode).toBe(429);
  expect(audited.length - before).toBe(5);
  expect(audited.at(-1)).toBe('login-refused: somebody at 127.0.0.1 tried a wrong token');
  const refused = (await login('wrong')).answer;
  expect(refused.json().error.hint).toBe(`Try again in ${refused.headers['retry-after']} s.`);
  double.nowMs += 61_000;
  expect((await login(operateToken)).answer.statusCode).toBe(200);
  expect((await login('of-agents')).answer.statusCode).toBe(401);
});

test('wrong tokens in a header are counted and told as well, and the right one is let in all the same', async () => {
  double.nowMs += 3600_000;
  const { audited } = double;
  const before = audited.length;
  const show = (token: string) => ask('/api/view', { headers: { authorization: `Bearer ${token}` } });
  const tries = await Promise.all(Array.from({ length: 7 }, () => show('wrong')));
  expect(tries.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401, 401, 401, 429, 429]);
  expect(audited.slice(before)).toHaveLength(5);
  expect((await show(readToken)).statusCode).toBe(200);
  double.nowMs += 61_000;
});

test('who was let in may be told no longer than their token is valid, or their session lasts', async () => {
  const { callers } = double.services;
  const from = { remoteAddress: '10.0.0.9', localAddress: '10.0.0.1', certified: false };
  const may = (headers: object) =>
    callers.mayStill({ ...from, headers: { host: '10.0.0.1', ...headers } }, { known: true }, 'read');
  const text = await double.tokens.make('rita', 'read', double.nowMs);
  const { cookie } = await login(text);
  const shown = [{ authorization: `Bearer ${text}` }, { cookie }];
  expect(shown.map(may)).toEqual([true, true]);
  expect(may({})).toBe(false);
  await double.tokens.revoke('rita');
  expect(shown.map(may)).toEqual([false, false]);
  const other = (await login(readToken)).cookie;
  expect(may({ cookie: other })).toBe(true);
  await ask('/api/session', { method: 'DELETE', headers: { cookie: other } });
  expect(may({ cookie: other })).toBe(false);
  // The next agent knows it, too.
  expect(double.sessions().find(other, double.nowMs)).toBeUndefined();
  const third = (await login(readToken)).cookie;
  expect(double.sessions().find(third, double.nowMs)).toBeDefined();
  // When nobody knows any more who has logged out, all have.
  rmSync(statePaths(double.folder).endedSessions);
  double.nowMs += 1;
  expect(double.sessions().find(other, double.nowMs)).toBeUndefined();
  expect(double.sessions().find(third, double.nowMs)).toBeUndefined();
});

test('a session that is over ends what was opened with it from this machine too, and only that', async () => {
  const { callers } = double.services;
  const from = { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', certified: false };
  const may = (headers: object, known: boolean) =>
    callers.mayStill({ ...from, headers: { host: '127.0.0.1', ...headers } }, { known }, 'read');
  const one = (await login(await double.tokens.make('vera', 'operate', double.nowMs))).cookie;
  const other = (await login(operateToken)).cookie;
  expect([may({ cookie: one }, true), may({ cookie: other }, true), may({}, false)]).toEqual([
    true,
    true,
    true,
  ]);
  await double.tokens.revoke('vera');
  expect([may({ cookie: one }, true), may({ cookie: other }, true), may({}, false)]).toEqual([
    false,
    true,
    true,
  ]);
  const left = await ask('/api/session', { method: 'DELETE', headers: { cookie: other } });
  expect(may({ cookie: other }, true)).toBe(false);
  // An old cookie that let nobody in shuts nobody out.
  expect(may({ cookie: other }, false)).toBe(true);
  expect(left.json()).toEqual((await ask('/api/session', { headers: { cookie: other } })).json());
  expect(left.json()).toEqual({ role: 'read', by: null, until: null, loginNeeded: false });
});

test('who logs out is told what may be done from then on', async () => {
  for (const [from, loginNeeded] of [
    ['127.0.0.1', false],
    ['10.0.0.9', true],
  ] as const) {
    const { cookie } = await login(operateToken);
    const headers = { cookie };
    const left = (await ask('/api/session', { method: 'DELETE', from, headers })).json();
    expect(left).toEqual((await ask('/api/session', { from, headers })).json());
    expect(left.loginNeeded).toBe(loginNeeded);
  }
  const shown = { method: 'DELETE', token: readToken } as const;
  expect((await ask('/api/session', shown)).json()).toMatchObject({ role: 'read', by: 'read' });
});

test('what is wrong with a request is said, by its field', async () => {
  const wrong = await ask('/api/operations', {
    method: 'POST',
    token: operateToken,
    body: { kind: 'switchover', to: 5 },
  });
  expect(wrong.statusCode).toBe(400);
  expect(wrong.json().error).toMatchObject({ code: 'API_BAD_REQUEST', field: 'to' });
  expect((await ask('/api/history?step=5s')).json().error.field).toBe('step');
  expect((await ask('/api/events?after=-1')).json().error.field).toBe('after');
  expect((await ask('/api/nothing')).json().error.code).toBe('API_NOT_FOUND');
  expect((await ask('/down', pause)).statusCode).toBe(404);
  const broken = await server.inject({
    ...{ method: 'POST', url: '/api/operations', remoteAddress: '127.0.0.1', payload: '{"kind":' },
    headers: {
      host: '127.0.0.1',
      'content-type': 'application/json',
      authorization: `Bearer ${operateToken}`,
    },
  });
  expect(broken.statusCode).toBe(400);
  const long = { kind: 'pause', more: 'x'.repeat(70_000) };
  expect((await ask('/api/operations', { method: 'POST', token: operateToken, body: long })).statusCode).toBe(
    413,
  );
});

test('a path that is there, asked in another way, says in which way it may be asked', async () => {
  const wrong = [
    ['DELETE', '/api/view?x=1', 'GET, HEAD'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['GET', '/api/operations', 'POST'],
    ['GET', '/api/jobs/0123456789abcdef/cancel', 'POST'],
    ['POST', '/api/members/redis-1', 'GET, HEAD'],
  ] as const;
  for (const [method, url, allow] of wrong) {
    const { statusCode, headers, ...answer } = await ask(url, { method, token: operateToken });
    expect([statusCode, headers['allow']], `${method} ${url}`).toEqual([405, allow]);
    expect(answer.json().error).toMatchObject({
      code: 'API_METHOD_UNKNOWN',
      message: expect.stringContaining(allow),
    });
  }
  for (const url of ['/api/members/', '/api/view/', '/api/members/redis-1/x', '/api/:id'])
    expect((await ask(url, { method: 'DELETE', token: operateToken })).statusCode, url).toBe(404);
});

test('no path leads to a file', async () => {
  for (const url of [
    '/../package.json',
    '/..%2f..%2fetc%2fpasswd',
    '/assets/../../api-token',
    '/%2e%2e/secret',
    '//etc/passwd',
    '/\\..\\x',
    '/%00',
    `/${'x'.repeat(4000)}`,
  ]) {
    const { statusCode, body } = await ask(url);
    expect([400, 404, 414], url.slice(0, 60)).toContain(statusCode);
    expect(body).not.toContain('root:');
  }
});

test('metrics say what they are', async () => {
  const { headers } = await ask('/metrics');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
});
