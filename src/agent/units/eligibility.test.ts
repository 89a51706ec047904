import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HeldBack } from '../state/held-back.ts';
import { setEligible } from './eligibility.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A replica, and an observer that tells at every moment what was seen last. */
async function aReplica(priority: number) {
  const heldBack = new HeldBack(path.join(folder, 'held-back'));
  const server = { priority };
  const seen = { priority };
  const observed = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    heldBack.saw(seen.priority);
  };
  const watch = {
    client: {
      setConfig: async (_name: string, value: string) => {
        server.priority = Number(value);
        await observed();
      },
    },
    look: async () => {
      await observed();
      seen.priority = server.priority;
      await observed();
    },
  };
  return { server, observed, member: { watch, heldBack } };
}

test.each([true, false])(
  'what the agent itself sets is never taken for an operator’s (eligible: %s)',
  async (eligible) => {
    const { server, observed, member } = await aReplica(eligible ? 0 : 100);
    if (eligible) await member.heldBack.claim();
    const set = setEligible(member, eligible);
    for (let i = 0; i < 20; i++) await observed();
    await set;
    await observed();
    expect(server.priority).toBe(eligible ? 100 : 0);
    expect([member.heldBack.operators, member.heldBack.ours]).toEqual([false, !eligible]);
  },
);
