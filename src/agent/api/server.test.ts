import { expect, test } from 'vitest';
import type { AgentApi } from './agent-api.ts';
import { guardedQuestions } from './server.ts';
import type { Status } from './status-answer.ts';

const token = 'a-token-of-43-characters';
const api: AgentApi = {
  commands: ['down'],
  status: () => ({ name: 'orders', state: 'healthy' }) as Status,
  metrics: () => 'holdfast_epoch 1\n',
  events: async () => [],
  run: () => {
    throw new Error('TCP takes no commands');
  },
};

function ask(url: string, remoteAddress: string, authorization?: string, method: 'GET' | 'POST' = 'GET') {
  const headers = authorization === undefined ? {} : { authorization };
  return guardedQuestions(api, token).inject({ method, url, remoteAddress, headers });
}

const everything = ['/', '/status', '/events', '/metrics'];

test('this machine needs no token', async () => {
  for (const from of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    for (const url of everything) expect((await ask(url, from)).statusCode, `${url} from ${from}`).toBe(200);
  }
});

test('other machines need the token, for everything but /health', async () => {
  for (const from of ['10.0.0.9', 'fd00::9', '::ffff:10.0.0.9']) {
    for (const url of [...everything, '/nowhere']) {
      const refused = await ask(url, from);
      expect(refused.statusCode, `${url} from ${from}`).toBe(401);
      expect(refused.headers['www-authenticate']).toBe('Bearer');
      expect(refused.json().error).toMatchObject({
        code: 'API_TOKEN_NEEDED',
        hint: expect.stringContaining('api-token'),
      });
    }
    expect((await ask('/health', from)).json()).toEqual({ state: 'healthy' });
    expect((await ask('/metrics', from, `Bearer ${token}`)).body).toBe('holdfast_epoch 1\n');
    expect((await ask('/status', from, `bearer  ${token} `)).statusCode).toBe(200);
  }
});

test('what only looks like the token is refused', async () => {
  for (const wrong of [
    '',
    'Bearer',
    'Bearer ',
    token,
    `Basic ${token}`,
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
  ])
    expect((await ask('/status', '10.0.0.9', wrong)).statusCode, wrong).toBe(401);
});

test('metrics say what they are; nothing is commanded over TCP', async () => {
  const { headers } = await ask('/metrics', '127.0.0.1');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect((await ask('/down', '127.0.0.1', undefined, 'POST')).statusCode).toBe(404);
});
