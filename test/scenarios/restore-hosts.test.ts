/** Backups and restores where the members are on hosts of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RestoreResult } from '../../src/agent/restore/run-restore.ts';
import type { Manifest } from '../../src/backup/manifest.ts';
import { waitFor } from '../../src/base/retry.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { backupMs } from '../support/deployment.ts';
import { HostFleet } from '../support/host-fleet.ts';

const hosts = ['a', 'b', 'c'];
const why = whyNoNetworkHosts();
const keys = 300;

describe.skipIf(why !== null)(`restore on three hosts${why === null ? '' : `: skipped, ${why}`}`, () => {
  let fleet: HostFleet;
  let folder: string;

  beforeAll(async () => {
    const on = { on: hosts };
    // Every host reaches the same folder.
    folder = mkdtempSync(path.join(tmpdir(), 'hff-store-'));
    const store = pathToFileURL(folder).href;
    fleet = new HostFleet(hosts, {
      redis: on,
      sentinel: on,
      gate: on,
      backup: { to: store, schedule: '0 0 29 2 *' },
    });
    await Promise.all(hosts.map((host) => fleet.up(host)));
    await fleet.waitUntilHealthy();
  });
  afterAll(async () => {
    await fleet?.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  test('one agent takes the first backup, and a host without the primary restores it', async () => {
    const { id, host } = await fleet.primary();
    const primary = fleet.member(id);
    for (let i = 0; i < keys; i++) await primary.set(`k:${i}`, i);
    const taken = () => hosts.flatMap((each) => fleet.events(each).filter(({ kind }) => kind === 'backup'));
    await waitFor(() => taken().length > 0, { what: 'the first backup', withinMs: backupMs });

    const elsewhere = hosts.find((each) => each !== host) as string;
    const now = await fleet.runOn(elsewhere, 'backup', ['now'], ['--json']);
    const backup = JSON.parse(now.stdout) as Manifest;
    await primary.flushall();
    const { stdout, stderr } = await fleet.runOn(elsewhere, 'restore', [backup.id], ['--json']);
    expect(stderr).not.toContain('warning');
    expect(JSON.parse(stdout) as RestoreResult).toMatchObject({ primary: id, keysAfter: keys });
    await fleet.waitUntilHealthy();
    for (const member of fleet.spec.members) expect(await fleet.member(member.id).dbsize()).toBe(keys);
    expect((await fleet.primary()).id).toBe(id);
    // The one that was asked for is told, too.
    expect(taken().filter(({ text }) => !text.includes(backup.id))).toHaveLength(1);
  });
});
