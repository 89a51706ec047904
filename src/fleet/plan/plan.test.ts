import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSpec } from '../../spec/parse.ts';
import type { HostFacts } from '../facts/host-facts.ts';
import { diffLines } from './diff-lines.ts';
import { type Found, planFleet, sha256 } from './plan.ts';
import { refuseMoves } from './refuse.ts';
import type { Plan, PrepareStep, SettingChange, TurnStep } from './steps.ts';
import { describeStep, isEmpty } from './steps.ts';
import { specTextThere, wantedFiles } from './wanted.ts';

const spec = parseSpec(
  `name: orders
hosts: { a: { address: 10.0.1.55, ssh: a }, b: { address: 10.0.1.156, ssh: b }, c: { address: 10.0.1.201, ssh: c } }
security: { users: { app: { password: { env: APP } } } }`,
  'holdfast.yaml',
);
const brought = {
  users: { app: 'opensesame' },
  formerUsers: {},
  elsewhere: {},
  tls: new Map(),
  isNewAuthority: false,
};
const build = '0.1.0-new';
const secretDigest = sha256('secret\n');
const hosts = ['a', 'b', 'c'];

const blank = (host: string): HostFacts => ({
  host,
  machine: 'Linux x86_64',
  os: ['debian'],
  systemd: false,
  programs: new Set(['apt-get']),
  servers: new Map(),
  current: null,
  previous: null,
  hasCommand: false,
  hasUser: false,
  stateOwner: null,
  listeners: new Map(),
  secretDigest: null,
  comingDigest: null,
  formerDigest: null,
  goneDigest: null,
  secretFiles: [],
  agent: null,
  restarts: [],
  device: 'eth0',
  addresses: new Set(),
  keepalivedDigest: null,
  holdsKeepalived: false,
  freeStateBytes: 1e12,
  freeInstallBytes: 1e12,
  kernelWritable: true,
  clockSeconds: 0,
  commands: [],
  files: new Map(),
  machineFiles: new Map(),
});

const wantedOn = (facts: HostFacts) => ({
  build,
  files: wantedFiles(spec, facts, brought),
});

/** What a host is like once a step was done. */
function after(facts: HostFacts, step: PrepareStep | TurnStep): HostFacts {
  switch (step.kind) {
    case 'packages':
      return { ...facts, servers: new Map([['/usr/bin/redis-server', 'Redis server v=7.0.15 sha=0']]) };
    case 'user':
      return { ...facts, hasUser: true };
    case 'holdfast':
      return { ...facts, current: step.build, previous: facts.current, hasCommand: true };
    case 'secret':
      return { ...facts, secretDigest };
    case 'file': {
      const { path, mode, owner, text, secret } = step.file;
      const found = {
        mode,
        owner,
        text: secret ? undefined : text,
        digest: secret ? sha256(text) : undefined,
      };
      return { ...facts, files: new Map([...facts.files, [path, found]]) };
    }
    case 'remove':
      return { ...facts, secretFiles: facts.secretFiles.filter((each) => !step.paths.includes(each)) };
    case 'start':
    case 'reload':
      return { ...facts, agent: { build: facts.current } };
    case 'restart':
      return { ...facts, restarts: [] };
    default:
      return facts;
  }
}

function plan(found: readonly Found[], primaryHost: string | null): Plan {
  return planFleet({ spec, found, primaryHost, secretDigest });
}

const changes = fc.array(
  fc.constantFrom<SettingChange>(
    { where: 'redis-1', what: 'maxmemory', from: '1', to: '2', takes: 'now' },
    { where: 'redis-2', what: 'databases', from: '16', to: '32', takes: 'restart' },
    { where: 'gate-1', what: 'workers', from: '1', to: '2', takes: 'restart' },
  ),
);

/** Hosts on which anything may have been done so far, and anything changed by hand. */
const anyFleet = fc.tuple(
  ...hosts.map((host) =>
    fc
      .record({
        done: fc.nat(20),
        runs: fc.boolean(),
        old: fc.boolean(),
        systemd: fc.boolean(),
        edited: fc.boolean(),
        stale: fc.boolean(),
        restarts: fc.constantFrom([], ['redis-1']),
        changes: fc.option(changes),
      })
      .map((made): Found => {
        let facts = { ...blank(host), systemd: made.systemd };
        const [first] = plan([{ facts, wanted: wantedOn(facts), changes: null }], null).prepare;
        for (const step of first?.steps.slice(0, made.done) ?? []) facts = after(facts, step);
        if (made.edited) {
          const edited = [...facts.files].map(
            ([path, file]) => [path, { ...file, text: 'by hand', digest: 'x' }] as const,
          );
          facts = { ...facts, files: new Map(edited) };
        }
        const agent =
          made.runs && facts.current !== null ? { build: made.old ? '0.0.9' : facts.current } : null;
        const secretFiles = made.stale ? ['/etc/holdfast/orders.secrets/former-user-app'] : [];
        facts = { ...facts, agent, restarts: made.restarts, secretFiles };
        return { facts, wanted: wantedOn(facts), changes: agent === null ? null : made.changes };
      }),
  ),
);
const anyPrimary = fc.constantFrom(null, ...hosts);

test('what was done as planned leaves nothing to do', () => {
  fc.assert(
    fc.property(anyFleet, anyPrimary, (found, primaryHost) => {
      const planned = plan(found, primaryHost);
      const now = found.map((each): Found => {
        const mine = planned.prepare.find(({ host }) => host === each.facts.host)?.steps ?? [];
        const turns = planned.turns.filter((turn) => turn.hosts.includes(each.facts.host));
        let { facts } = each;
        for (const step of [...mine, ...turns.flatMap(({ steps }) => steps)]) facts = after(facts, step);
        // A start reads what an interrupted apply was to restart, too.
        return { ...each, facts: { ...facts, restarts: [] }, changes: [] };
      });
      expect(isEmpty(plan(now, primaryHost))).toBe(true);
    }),
  );
});

test('what runs is touched on one host at a time, the primary’s last; only a first start is of all at once', () => {
  fc.assert(
    fc.property(anyFleet, anyPrimary, (found, primaryHost) => {
      const { turns } = plan(found, primaryHost);
      const touched = turns.flatMap((turn) => turn.hosts);
      expect(new Set(touched).size).toBe(touched.length);
      const nobodyRuns = found.every(({ facts }) => facts.agent === null);
      for (const turn of turns) expect(turn.hosts.length === 1 || nobodyRuns).toBe(true);
      const at = touched.indexOf(primaryHost ?? '');
      const primaryRuns = found.some(({ facts }) => facts.host === primaryHost && facts.agent !== null);
      if (at !== -1 && primaryRuns) expect(at).toBe(touched.length - 1);
    }),
  );
});

test('a plan shows no secret', () => {
  const found = hosts.map((host): Found => {
    const facts = blank(host);
    return { facts, wanted: wantedOn(facts), changes: null };
  });
  const { prepare } = plan(found, null);
  const lines = prepare.flatMap(({ steps }) => steps.flatMap(describeStep));
  expect(lines.join('\n')).toContain('/etc/holdfast/orders.secrets/user-app, mode 600, holdfast:holdfast');
  expect(lines.join('\n')).not.toContain('opensesame');
  expect(wantedOn(blank('a')).files.find(({ path }) => path.endsWith('orders.yaml'))?.text).not.toContain(
    'ssh',
  );
});

test('a difference taken from one text gives the other', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lines, lines, (old, now) => {
      const diff = diffLines(old.join('\n'), now.join('\n'));
      const of = (mark: string) => diff.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
      const counts = (all: string[]) => all.toSorted().join();
      const kept: string[] = old.toSorted();
      for (const line of of('- ')) kept.splice(kept.indexOf(line), 1);
      expect(counts([...kept, ...of('+ ')])).toBe(counts(now));
      if (old.join('\n') === now.join('\n')) expect(diff).toEqual([]);
    }),
  );
});

/** Hosts on which everything is as it should be. */
function settled(): Found[] {
  return hosts.map((host) => {
    let facts = blank(host);
    const [first] = plan([{ facts, wanted: wantedOn(facts), changes: null }], null).prepare;
    for (const step of first?.steps ?? []) facts = after(facts, step);
    facts = { ...facts, agent: { build: facts.current } };
    return { facts, wanted: wantedOn(facts), changes: [] };
  });
}

test('the primary moves before its users change, and only then', () => {
  const change = (what: string): SettingChange => ({
    where: 'redis-1',
    what,
    from: 'a',
    to: 'b',
    takes: 'now',
  });
  const kindsFor = (what: string, primaryHost: string) => {
    const found = settled().map((each) =>
      each.facts.host === 'a' ? { ...each, changes: [change(what)] } : each,
    );
    return plan(found, primaryHost).turns.flatMap(({ steps }) => steps.map(({ kind }) => kind));
  };
  expect(kindsFor('user app', 'a')).toEqual(['hand-over', 'settings']);
  expect(kindsFor('user app', 'b')).toEqual(['settings']);
  expect(kindsFor('maxmemory', 'a')).toEqual(['settings']);
});

test('the primary moves before a password of its users changes, which its agent can’t tell', () => {
  const withPassword = (former: Record<string, string>, changes: SettingChange[] | null) =>
    settled().map((each): Found => {
      const files = wantedFiles(spec, each.facts, { ...brought, formerUsers: former });
      return { ...each, wanted: { build, files }, changes };
    });
  const kindsOf = (found: readonly Found[]) =>
    plan(found, 'b').turns.map(({ hosts: [host], steps }) => `${host}: ${steps.map(({ kind }) => kind)}`);
  const all = ['a: settings', 'c: settings', 'b: hand-over,settings'];
  expect(kindsOf(withPassword({ app: 'before' }, null))).toEqual(all);
  expect(kindsOf(withPassword({ app: 'before' }, []))).toEqual(all);
  // Nothing is to be done for it, but whose agent could not tell is not taken for one that has nothing to do.
  expect(kindsOf(withPassword({}, []))).toEqual([]);
  expect(kindsOf(withPassword({}, null))).toEqual(['a: settings', 'c: settings', 'b: settings']);
});

test('another kind of gate takes an agent that knows it from its start, and then a restart of the gate', () => {
  const to = (kind: string, from: string): SettingChange => {
    return { where: 'gate-1', what: 'kind', from, to: kind, takes: 'down-and-up' };
  };
  for (const change of [to('haproxy', 'gate'), to('gate', 'haproxy')]) {
    const found = settled().map((each) => (each.facts.host === 'a' ? { ...each, changes: [change] } : each));
    const of = { ...spec, gate: { ...spec.gate, kind: change.to as 'gate' | 'haproxy' } };
    expect(() => refuseMoves(of, [change])).not.toThrow();
    const { turns } = planFleet({ spec: of, found, primaryHost: 'b', secretDigest });
    const steps = turns.find(({ hosts: [host] }) => host === 'a')?.steps ?? [];
    expect(steps.map(({ kind }) => kind).filter((kind) => kind !== 'settings')).toEqual([
      'reload',
      'restart',
    ]);
    expect(steps.at(-1)).toEqual({ kind: 'restart', processes: ['gate-1'] });
  }
});

test('an API that other machines reach is known by the secret that apply brings', () => {
  const open = parseSpec(
    `name: orders
hosts: { a: { address: 10.0.1.55, ssh: a }, b: { address: 10.0.1.156, ssh: b }, c: { address: 10.0.1.201, ssh: c } }
agent: { bind: 0.0.0.0, tls: { cert: c.pem, key: k.pem, ca: ca.pem } }`,
    'holdfast.yaml',
  );
  const there = parseSpec(specTextThere(open), '/etc/holdfast/orders.yaml');
  expect(there.security.secret).toEqual({ file: '/var/lib/holdfast/orders/secret' });
  expect(there.agent.tls?.key).toBe('/etc/holdfast/orders.secrets/api-tls-key.pem');
  expect(parseSpec(specTextThere(spec), 'orders.yaml').security.secret).toBeNull();
});

test('how hosts are reached lies there before the spec that has them', () => {
  const files = wantedOn(blank('a')).files.map(({ path }) => path);
  expect(files.indexOf('/etc/holdfast/orders.hosts')).toBe(0);
  expect(files.indexOf('/etc/holdfast/orders.yaml')).toBe(1);
});

test('of one process that restarts nothing is said of an order', () => {
  const said = (...processes: string[]) => describeStep({ kind: 'restart', processes });
  expect(said('sentinel-1')).toEqual(['restart sentinel-1']);
  expect(said('redis-1', 'sentinel-1')).toEqual(['restart redis-1, sentinel-1, one after the other']);
});
