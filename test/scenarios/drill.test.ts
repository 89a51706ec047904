/** The drills themselves: that they find nothing where nothing is wrong, that they find what is, and that they clean up. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { holdfast, TestDeployment } from '../support/deployment.ts';
import { isWhole } from '../support/whole-run.ts';

interface DrillOutput {
  drills: {
    scenario: string;
    deployment: string;
    runs: {
      trouble: string | null;
      acknowledged: number;
      lost: number;
      droppedConnections: number;
      promotions: { member: string }[];
      promises: { promise: string; held: boolean; found: string }[];
    }[];
  }[];
}

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** What breaks a process on purpose; the ways follow after a question mark. */
const saboteur = new URL('../support/sabotage.mjs', import.meta.url).href;
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hdt-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Processes that run in the folder in which drills make their deployments, and what is left there. */
function leftovers(): string[] {
  const processes = readdirSync('/proc').filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`);
    } catch {
      return false;
    }
  });
  return [...processes, ...readdirSync(folder)];
}

async function drill(args: string[], broken = '') {
  const env = { TMPDIR: folder, ...(broken ? { NODE_OPTIONS: `--import ${saboteur}?${broken}` } : {}) };
  const { status, stdout, stderr } = await holdfast(['drill', ...args, '--duration', '2s', '--json'], env);
  expect(stdout, stderr).not.toBe('');
  const output = JSON.parse(stdout) as DrillOutput;
  expect(leftovers()).toEqual([]);
  return { status, drills: output.drills };
}

const firstRun = (drills: DrillOutput['drills']) =>
  drills[0]?.runs[0] as DrillOutput['drills'][number]['runs'][number];

/** What depends on how fast this machine is just now is left to people to judge. */
const isAboutTime = (promise: string) => /waits longer|gives the primary up/.test(promise);

describe('a build that keeps its promises', () => {
  test.each([
    [['primary-crash', '--durability', 'replicated'], 1, 0] as const,
    ...(isWhole ? [[['gate-crash', '--tls'], 0, 1] as const] : []),
  ])('%s', async (args, promotions, fewestDrops) => {
    const { drills } = await drill([...args]);
    const run = firstRun(drills);
    expect(run.trouble).toBeNull();
    expect(run.promises.filter(({ promise, held }) => !held && !isAboutTime(promise))).toEqual([]);
    expect(run.promises.length).toBeGreaterThan(4);
    expect(run.promotions).toHaveLength(promotions);
    expect(run.droppedConnections).toBeGreaterThanOrEqual(fewestDrops);
    // Of some thousands that are asked for: a slow machine does what it can.
    expect(run.acknowledged).toBeGreaterThan(100);
    expect(run.lost).toBe(0);
  });
});

/** Half a minute each. */
const between = isWhole && whyNoNetworkHosts() === null;
describe.runIf(between)('between three hosts that speak TLS only', () => {
  test.each(['host-lost', 'partition', 'partition-between-two', 'agent-and-primary-crash'])(
    '%s keeps its promises',
    async (scenario) => {
      const { drills } = await drill([scenario, '--tls', '--durability', 'replicated']);
      const run = firstRun(drills);
      expect(run.trouble).toBeNull();
      expect(run.promises.filter(({ promise, held }) => !held && !isAboutTime(promise))).toEqual([]);
      expect(run.acknowledged).toBeGreaterThan(500);
      expect(run.lost).toBe(0);
    },
  );
});

test.runIf(isWhole)(
  'Sentinel + HAProxy stands beside it, and its promises are nobody’s to keep',
  async () => {
    const { status, drills } = await drill(['sentinel-crash', '--beside-plain']);
    expect(status).toBe(0);
    expect(drills.map(({ deployment }) => deployment)).toEqual(['holdfast', 'Sentinel + HAProxy']);
    for (const { runs } of drills) expect(runs[0]?.acknowledged).toBeGreaterThan(500);
  },
);

describe('a deployment that others use', () => {
  let deployment: TestDeployment;
  beforeAll(async () => {
    deployment = await TestDeployment.up();
    await deployment.waitUntilHealthy();
  });
  afterAll(() => deployment?.destroy());

  const against = () => ['--against', deployment.specFile, '--state-dir', deployment.stateDir];

  test('is asked about first, and only what does no harm is run', async () => {
    const unanswered = await holdfast(['drill', 'all', ...against()]);
    expect(unanswered.status).toBe(2);
    expect(unanswered.stderr).toContain('rolling-restart');
    expect(unanswered.stderr).not.toContain('all-crash');
    const harmful = await holdfast(['drill', 'empty-primary', '--yes', ...against()]);
    expect(harmful.status).toBe(2);
    expect(harmful.stderr).toContain('a member’s data is deleted');
  });

  test('is left as it was, with a new process and no key', async () => {
    const before = await deployment.status();
    await deployment.client().set('theirs', '1');
    const { drills } = await drill(['sentinel-crash', '--yes', ...against()]);
    const run = firstRun(drills);
    expect(run.promises.filter(({ promise, held }) => !held && !isAboutTime(promise))).toEqual([]);
    expect(run.acknowledged).toBeGreaterThan(50);
    expect(await deployment.client().keys('*')).toEqual(['theirs']);
    const after = await deployment.waitUntilHealthy();
    expect(after.sentinels[0]?.pid).not.toBe(before.sentinels[0]?.pid);
    expect(after.primary).toBe(before.primary);
  });
});

describe('a build that was broken on purpose is caught', () => {
  const ways = [
    ['no-holding', 'primary-crash', 'the only error is UNCERTAIN'],
    ['no-empty-primary-guard', 'empty-primary', 'no acknowledged write is lost'],
  ] as const;
  test.each(isWhole ? ways : ways.slice(0, 1))('%s by %s', async (way, scenario, promise) => {
    const { status, drills } = await drill([scenario], way);
    expect(status).toBe(3);
    const broken = firstRun(drills).promises.filter(({ held }) => !held);
    expect(broken.map((each) => each.promise).join('\n')).toContain(promise);
  });
});

test('Ctrl-C in the middle ends everything that was started', async () => {
  const child = spawn(process.execPath, [command, 'drill', 'primary-crash'], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const before = said;
    said += text;
    // The failure was just made: the deployment is in the middle of it.
    if (/is killed/.test(said) && !/is killed/.test(before)) child.kill('SIGINT');
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  expect(said).toContain('STOPPED_BY_SIGNAL');
  expect(status).toBe(1);
  expect(leftovers()).toEqual([]);
});

test('what makes no sense is refused before anything is started', async () => {
  for (const args of [
    ['nonsense'],
    ['primary-crash', '--clients', '0'],
    ['primary-crash', '--tls', '--beside-plain'],
    ['primary-crash', '--against', '/nowhere.yaml'],
  ]) {
    const { status, stderr } = await holdfast(['drill', ...args], { TMPDIR: folder });
    expect(status).toBe(2);
    expect(stderr).toContain('hint:');
  }
  expect(leftovers()).toEqual([]);
});
