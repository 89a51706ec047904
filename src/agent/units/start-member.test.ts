import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { parseSpec } from '../../spec/parse.ts';
import { placeholderSecrets } from '../../spec/secrets.ts';
import type { Member } from '../../spec/spec.ts';
import type { LiveMember, Setting } from '../deployment.ts';
import { HeldBack } from '../state/held-back.ts';
import { statePaths } from '../state/paths.ts';
import { startMember } from './start-member.ts';
import { Unit } from './unit.ts';

const spec = parseSpec('name: x', 'x.yaml');
const [first, second] = spec.members as [Member, Member];
let root: string;
let unit: Unit;
let told: string[];
let setting: Setting;
let replica: LiveMember;
let primary: LiveMember;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'hf-start-'));
  const redisServer = path.join(root, 'redis-server');
  writeFileSync(redisServer, '#!/bin/sh\nexec sleep 60\n', { mode: 0o700 });
  unit = new Unit(second.id, statePaths(root).member(second.id), systemClock);
  told = [];
  const events = { add: (kind: string, _subject: string, text: string) => void told.push(`${kind} ${text}`) };
  const secrets = placeholderSecrets(spec);
  setting = {
    spec,
    secrets,
    redisServer,
    aclSelectors: true,
    clock: systemClock,
    events,
  } as unknown as Setting;
  const client = { role: async () => ({ role: 'primary' }), close: () => {} };
  const watch = { reset: () => {}, connect: () => client };
  primary = { place: first, unit: null } as unknown as LiveMember;
  replica = {
    ...{ place: second, unit, watch, disk: null },
    heldBack: new HeldBack(unit.paths.heldBack),
  } as unknown as LiveMember;
  mkdirSync(unit.paths.folder, { recursive: true });
});
afterEach(async () => {
  unit.kill();
  await unit.process.waitForExit(10_000);
  rmSync(root, { recursive: true, force: true });
});

test('what a start needs and finds gone is made anew, and that is said', async () => {
  const { dataDir, config, aclFile } = unit.paths;
  await startMember(setting, replica, primary, 'restart');
  expect([dataDir, config, aclFile].map((each) => existsSync(each))).toEqual([true, true, true]);
  expect(readFileSync(config, 'utf8')).toMatch(/^replicaof \S+ \d+$/m);
  expect(told).toEqual([
    `data-missing ${second.id} lacked its data folder ${dataDir}, its redis.conf, its users: made anew; it copies everything from ${first.id}`,
  ]);
});

test('the data folder alone: what is there is left as it is', async () => {
  writeFileSync(unit.paths.config, '# as redis wrote it\n');
  writeFileSync(unit.paths.aclFile, 'user default on nopass ~* &* +@all\n');
  await startMember(setting, replica, null, 'restart');
  expect(told).toEqual([expect.stringContaining('made anew; it starts without data')]);
  expect(existsSync(unit.paths.dataDir)).toBe(true);
  expect(readFileSync(unit.paths.config, 'utf8')).toMatch(/^# as redis wrote it\n/);
});

test('where it is and what it logs in with is put right before a start, and all else is as Redis wrote it', async () => {
  const { config, dataDir } = unit.paths;
  const settled = await startMember(setting, replica, primary, 'restart').then(() =>
    readFileSync(config, 'utf8'),
  );
  unit.kill();
  await unit.process.waitForExit(10_000);
  // What CONFIG REWRITE makes of a moved folder, and of what somebody set.
  const rewritten = settled
    .replace(/^dir .*$/m, `dir "${root}/moved"`)
    .replace(/^port .*$/m, 'port 1')
    .replace(/^masterauth .*$/m, 'masterauth "another"')
    .replace(/^maxmemory .*$/m, 'maxmemory 5mb')
    .replace(/^appendonly .*$/m, 'appendonly no');
  writeFileSync(config, `${rewritten}user default on\n`);
  await startMember(setting, replica, primary, 'restart');
  const now = readFileSync(config, 'utf8');
  const lines = (text: string, name: RegExp) => text.split('\n').filter((line) => name.test(line));
  expect(lines(now, /^dir /)).toEqual([`dir ${dataDir}`]);
  expect(lines(now, /^(port|masterauth) /)).toEqual(lines(settled, /^(port|masterauth) /));
  expect(now).toMatch(/^maxmemory 5mb$.*^appendonly no$.*^user default on$/ms);
});

test('a file that Redis wrote with quotes says the same, and is not written', async () => {
  const { config } = unit.paths;
  await startMember(setting, replica, primary, 'restart');
  unit.kill();
  await unit.process.waitForExit(10_000);
  const quoted = readFileSync(config, 'utf8').replace(/^(dir|logfile) (.*)$/gm, '$1 "$2"');
  writeFileSync(config, quoted);
  const { ino } = statSync(config);
  await startMember(setting, replica, primary, 'restart');
  expect(statSync(config).ino).toBe(ino);
});

test('nothing is said when all is there', async () => {
  await startMember(setting, replica, primary, 'start');
  unit.kill();
  await unit.process.waitForExit(10_000);
  told.length = 0;
  await startMember(setting, replica, primary, 'restart');
  expect(told).toEqual([]);
});
