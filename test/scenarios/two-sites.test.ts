/**
 * Two sites that both write: each owns some keys and mirrors them to the other's gate; they are read where they are asked for, and who
 * writes to the other's keys is sent to their owner. The network between them is cut, and whole again. The tests go on with what
 * the one before left.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { deriveSecrets } from '../../src/spec/secrets.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { HostFleet } from '../support/host-fleet.ts';
import { farOff, farOffWait, whyNotUsual } from '../support/whole-run.ts';
import { WriteLoad } from '../support/write-load.ts';

const sites = ['west', 'east'] as const;
type Site = (typeof sites)[number];
const otherThan = (site: Site): Site => (site === 'west' ? 'east' : 'west');
const prefixOf = (site: Site) => `${site[0]}:`;
const gatePort = 6380;
const why = whyNotUsual ?? whyNoNetworkHosts();

describe.skipIf(why !== null)(`two sites that both write${why === null ? '' : `: skipped, ${why}`}`, () => {
  let fleet: HostFleet;
  let at: Record<Site, Redis>;

  /** The spec's file is that of this site from now on: each is a deployment of its own. */
  function be(site: Site): Parameters<HostFleet['writeSpec']>[0] {
    const other = otherThan(site);
    const to = `redis://${fleet.network.addressOf(other)}:${gatePort}`;
    const sections = {
      hosts: { [site]: { address: fleet.network.addressOf(site) } },
      redis: { on: [site] },
      sentinel: { on: [site, site, site] },
      gate: {
        ...{ on: [site], port: gatePort, hold: '3s' },
        routes: { other: { to, prefixes: [prefixOf(other)], readsHere: true } },
      },
      mirrors: { other: { to, password: { file: 'password' }, prefixes: [prefixOf(site)] } },
    };
    fleet.writeSpec(sections);
    return sections;
  }

  beforeAll(async () => {
    fleet = new HostFleet([...sites], { sentinel: { on: ['west', 'west', 'east'] } });
    const { defaultPassword } = deriveSecrets(fleet.spec, 'not much of a secret', {});
    writeFileSync(path.join(fleet.folder, 'password'), `${defaultPassword}\n`, { mode: 0o600 });
    for (const site of sites) {
      be(site);
      expect(await fleet.up(site, '240s')).toMatchObject({ status: 0 });
    }
    const [west, east] = await Promise.all(sites.map((site) => fleet.client(site, site, gatePort)));
    at = { west: west as Redis, east: east as Redis };
  }, farOff);
  afterAll(() => fleet?.destroy());

  const has = (site: Site, key: string, value: string | null) =>
    waitFor(async () => (await at[site].get(key)) === value, {
      what: `${key} to be ${value} at ${site}`,
      withinMs: farOffWait,
      everyMs: 50,
    });

  /** Neither lacks anything of the other, nor has what that does not have. */
  async function equal(): Promise<void> {
    for (const site of sites) {
      be(site);
      const isLevel = async () => (await fleet.runOn(site, 'mirror', ['diff', 'other'])).status === 0;
      await waitFor(isLevel, { what: 'both to be equal', withinMs: farOffWait, everyMs: 500 });
    }
  }

  const cut = (isCut: boolean) => fleet.network.setCutOff('west', isCut);
  const untilState = (state: string) =>
    Promise.all(
      sites.map((site) => fleet.waitForStatus(site, state, (each) => each.state === state, farOffWait)),
    );

  test(
    'what is written at either is written at its owner, once, and read at both',
    async () => {
      const { west, east } = at;
      await west.set('w:1', 'by west');
      await east.set('e:1', 'by east');
      await west.set('e:2', 'by west');
      await east.set('w:2', 'by east');
      for (const site of sites) {
        await has(site, 'w:1', 'by west');
        await has(site, 'e:1', 'by east');
        await has(site, 'e:2', 'by west');
        await has(site, 'w:2', 'by east');
      }
      const counted = await Promise.all([west.incr('e:n'), east.incr('e:n'), west.incr('e:n')]);
      expect(counted.toSorted()).toEqual([1, 2, 3]);
      await has('west', 'e:n', '3');
      await west.del('e:1');
      await has('east', 'e:1', null);
      await has('west', 'e:1', null);
      await equal();
    },
    farOff,
  );

  test(
    'cut off from each other: own keys are written, the other’s are read, and a write to those fails; nothing diverges',
    async () => {
      const { west, east } = at;
      cut(true);
      await west.set('w:1', 'while it was cut');
      await east.set('e:2', 'while it was cut');
      await east.del('e:n');
      expect(await west.get('e:2')).toBe('by west');
      const failures = await Promise.all([
        west.set('e:2', 'from the wrong side').catch(String),
        east.set('w:1', 'from the wrong side').catch(String),
      ]);
      for (const failure of failures) expect(failure).toMatch(/NOPRIMARY|UNCERTAIN/);
      // That it is cut off is known by now.
      await expect(west.set('e:2', 'again')).rejects.toThrow('NOPRIMARY');
      expect(await west.get('w:1')).toBe('while it was cut');
      await untilState('degraded');
      cut(false);
      await has('east', 'w:1', 'while it was cut');
      await has('west', 'e:2', 'while it was cut');
      await has('west', 'e:n', null);
      await untilState('healthy');
      await equal();
    },
    farOff,
  );

  test(
    'cut five times under writes at both, to own keys and the other’s: every write that was acknowledged is at both, and no other',
    async () => {
      const writers = () => Promise.all(sites.map((site) => fleet.client(site, site, gatePort)));
      const loads = [new WriteLoad(await writers(), 'w:'), new WriteLoad(await writers(), 'e:')];
      for (let times = 0; times < 5; times++) {
        const before = loads.map(({ report }) => report.acknowledged);
        const goOn = () => loads.every(({ report }, i) => report.acknowledged > (before[i] ?? 0) + 100);
        await waitFor(goOn, { what: 'writes', withinMs: farOffWait });
        cut(true);
        await new Promise((resolve) => setTimeout(resolve, 1500 + 1000 * times));
        cut(false);
      }
      for (const load of loads) await load.stop();
      await equal();
      for (const load of loads) for (const site of sites) expect(await load.lost(at[site])).toEqual([]);
    },
    farOff,
  );
});
