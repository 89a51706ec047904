import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';

describe('processes that live and do not answer, long before hangAfter', () => {
  let deployment: TestDeployment;

  beforeAll(async () => {
    deployment = await TestDeployment.up({ agent: { hangAfter: '60s' }, sentinel: { detectAfter: '15s' } });
    await deployment.waitUntilHealthy();
  });
  afterAll(() => deployment?.destroy());

  const events = (kind: string) => deployment.events().filter((event) => event.kind === kind);

  test.each(['gates', 'sentinels', 'members'] as const)(
    'one of the %s that was stopped is replaced',
    async (which) => {
      const before = await deployment.waitUntilHealthy();
      const stopped = before[which].at(-1) as { id: string; pid: number | null };
      process.kill(stopped.pid as number, 'SIGSTOP');
      await deployment.waitForStatus('another process in its place', (status) => {
        const now = status[which].find(({ id }) => id === stopped.id);
        return status.state === 'healthy' && now?.pid !== null && now?.pid !== stopped.pid;
      });
      const kills = events('killed').filter(({ subject }) => subject === stopped.id);
      expect(kills.map(({ text }) => text)).toEqual([expect.stringContaining('stopped by a signal')]);
    },
  );

  test('a slow command is told of while it runs, named when it is over, and nobody is killed for it', async () => {
    const { id, port, pid } = await deployment.primary();
    const killed = events('killed').length;
    const slow = deployment.client(port);
    await slow.call('CLIENT', 'SETNAME', 'reports');
    // One call of the pattern matcher: Redis can't interrupt it, so that the server says nothing, not even BUSY.
    const match = (length: number) => `return string.find(string.rep('a', ${length}), '^.-.-b')`;
    const untilTold = async () => {
      for (let length = 20_000; events('slow-command').length === 0; length *= 1.3) {
        await slow.eval(match(Math.round(length)), 0);
      }
      return true;
    };
    await waitFor(untilTold, { what: 'a command to be slow', withinMs: 60_000 });
    const told = () => events('slow-command').map(({ subject, text }) => `${subject}: ${text}`);
    expect(told()[0]).toMatch(new RegExp(`^${id}: .*slow command keeps it busy`));
    // In between it may say that it is busy.
    const named = /answers again: EVAL took \d+ ms, asked for by .* \(reports\)/;
    await waitFor(() => told().some((text) => named.test(text)), { what: 'its name', withinMs: 60_000 });
    expect((await deployment.waitUntilHealthy()).members.map((member) => member.pid)).toContain(pid);
    expect(events('killed').length).toBe(killed);
  });
});
