import { expect, test } from 'vitest';
import type { Said } from '../picture/understood.ts';
import { GateClients } from './gate-clients.ts';
import { sharedMs } from './remembered.ts';

const client = { address: '10.0.0.9:5', name: '', user: 'default', port: 'read-write', lastCommand: 'get' };
const whole = { ...client, ageMs: 1, held: false, private: false, db: 0 };

function made(told: readonly (readonly [string, Said])[] = []) {
  const seen = { asked: 0, nowMs: 0 };
  const clients = async () => {
    seen.asked += 1;
    return { total: 1, clients: [whole] };
  };
  const broken = async () => {
    throw new Error('the gate does not answer');
  };
  const deployment = {
    gates: [
      { place: { id: 'gate-a' }, unit: {}, adapter: { clients } },
      { place: { id: 'gate-x' }, unit: {}, adapter: { clients: broken } },
      { place: { id: 'gate-b' }, unit: null, adapter: { clients: broken } },
    ],
    spec: { gates: [{ id: 'gate-b', host: 'b' }] },
    setting: { clock: { monotonicMs: () => seen.nowMs } },
  } as unknown as ConstructorParameters<typeof GateClients>[0];
  return { seen, all: new GateClients(deployment, async () => new Map(told)) };
}

test('many who ask at once cost a gate one question', async () => {
  const { seen, all } = made();
  await Promise.all(Array.from({ length: 50 }, () => all.all(true)));
  expect(seen.asked).toBe(1);
  seen.nowMs = sharedMs;
  const { total, clients, missing } = await all.all(true);
  expect([seen.asked, total, clients.length]).toEqual([2, 1, 1]);
  expect(missing).toEqual([{ gate: 'gate-x', why: 'the gate does not answer' }]);
});

test('the clients of other hosts are among them, and whose are missing is named', async () => {
  const theirs = { total: 7, clients: [{ gate: 'gate-b', ...whole }], missing: [] };
  expect(await made([['b', { answer: theirs }]]).all.all(false)).toMatchObject({
    total: 8,
    clients: [{ gate: 'gate-a' }, { gate: 'gate-b' }],
  });
  for (const said of [{ missing: 'no agent listens there' }, { answer: { clients: 'many' } }] as const) {
    const { missing } = await made([['b', said]]).all.all(false);
    expect(missing.map(({ gate }) => gate)).toEqual(['gate-x', 'gate-b']);
  }
});
