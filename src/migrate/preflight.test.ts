import { expect, test } from 'vitest';
import { judge, refuseWhatIsRefused, type SourceFacts, type TargetFacts } from './preflight.ts';
import type { Lacking, Rights } from './rights.ts';

/** A user who may not these, in the words of Redis. */
function may(...not: string[]): Rights {
  const lacking = not.map((command): Lacking => {
    const name = command.toLowerCase().replace(' ', '|');
    return {
      ...{ command, lacks: 'command', rule: `+${name}` },
      says: `NOPERM this user has no permissions to run the '${name}' command`,
    };
  });
  return { user: 'app', lacking, unknown: null };
}

const source: SourceFacts = {
  ...{
    name: 'old',
    product: 'redis',
    version: '7.0.15',
    runId: 'a',
    role: 'master',
    isCluster: false,
    hasAof: false,
  },
  ...{
    databases: [{ db: 0, keys: 5 }],
    keys: 5,
    dataBytes: 1000,
    usedBytes: 2000,
    maxBytes: 0,
    policy: 'noeviction',
    modules: [],
  },
  ...{ refusal: null, rights: null },
};
const target: TargetFacts = { ...source, name: 'new', runId: 'b', missingDbs: [], rights: may() };

function found(
  from: Partial<SourceFacts>,
  to: Partial<TargetFacts>,
  method: 'replication' | 'scan' = 'replication',
): string {
  const wanted = { method, followsBack: method === 'replication' };
  const texts = judge([{ ...source, ...from }], { ...target, ...to }, wanted);
  return texts.map(({ level, text }) => `${level}: ${text}`).join('\n');
}

test('two servers of a kind pass', () => {
  expect(found({}, {})).toBe('');
});

test('what speaks against it is said', () => {
  expect(found({ isCluster: true }, {})).toMatch(/^refused: old is a node of a Redis Cluster/);
  expect(found({ isCluster: true, refusal: 'managed' }, {}, 'scan')).toBe('');
  expect(found({ refusal: 'managed' }, {})).toMatch(/^refused: old does not let a replica in: managed/);
  expect(found({}, { isCluster: true })).toMatch(/^refused: new is a node/);
  expect(found({}, { role: 'slave' })).toMatch(/^refused: new is a replica/);
  expect(found({}, { runId: 'a' })).toMatch(/^refused: old and new are one server/);
  expect(found({}, { missingDbs: [3] })).toMatch(/^refused: new has no database 3/);
  expect(found({}, { maxBytes: 2999 })).toMatch(/^refused: new may use .* of memory/);
  expect(found({}, { maxBytes: 3000 })).toBe('');
  expect(found({}, { maxBytes: 9000, policy: 'allkeys-lru' })).toMatch(/^warning: new evicts/);
  expect(found({ modules: ['bf'] }, {})).toMatch(/^warning: old has the module bf/);
  expect(found({ version: '7.2.4' }, {})).toMatch(/^warning: new .* is older/);
  expect(found({ product: 'valkey', version: '8.0.1' }, { version: '7.2.0' })).toBe('');
  expect(found({ product: 'valkey', version: '9.0.0' }, { version: '8.2.0' })).toMatch(/is older/);
  expect(() => refuseWhatIsRefused([{ level: 'warning', text: 'x' }])).not.toThrow();
  expect(() => refuseWhatIsRefused([{ level: 'refused', text: 'x' }])).toThrow(/can't be migrated: x/);
});

test('what a source’s user may not, what is left then, and what grants it', () => {
  const all = ['SCAN', 'DUMP', 'CONFIG GET', 'CONFIG SET', 'CLIENT PAUSE', 'ACL SETUSER', 'CLIENT KILL'];
  expect(found({ rights: may(...all) }, {}, 'scan').split('\n')).toEqual([
    expect.stringMatching(
      /^refused: the user app may not SCAN, DUMP at old \(NOPERM .*\): by scan no key can be read\. ACL SETUSER app \+scan \+dump there grants it$/,
    ),
    expect.stringMatching(
      /^warning: .*CONFIG GET, CONFIG SET at old .*passes that compare.* \+config\|get \+config\|set there/,
    ),
    expect.stringMatching(
      /^warning: .*CLIENT PAUSE at old .*stop the writers yourself.*migrate abort.* \+client\|pause there/,
    ),
    expect.stringMatching(/^warning: .*may not CONFIG SET at old .*migrate finish.*--release/),
  ]);
  expect(found({ rights: may(...all) }, {}, 'replication').split('\n')).toEqual([
    expect.stringMatching(/^warning: .*CLIENT PAUSE at old/),
    expect.stringMatching(/^warning: .*ACL SETUSER, CLIENT KILL at old .*--undo loses/),
    expect.stringMatching(/^warning: .*may not CONFIG SET at old/),
  ]);
});

test('what nobody may grants nothing, a key may be one that is not there, and what nobody can look at is said', () => {
  const unknown = { command: 'CLIENT PAUSE', says: "ERR unknown command 'CLIENT'", rule: null } as const;
  const managed = { ...may(), lacking: [{ ...unknown, lacks: 'command' as const }] };
  expect(found({ rights: managed }, {}, 'scan')).toMatch(/^warning: .*ERR unknown command.*was copied$/);
  const key = { says: 'NOPERM', rule: '~*', lacks: 'key' } as const;
  const some = { ...may(), lacking: [{ ...key, command: 'DUMP' }] };
  expect(found({ rights: some }, {}, 'scan')).toMatch(
    /^warning: the user app may not DUMP some keys at old .*: the first that comes ends it/,
  );
  expect(found({ rights: { ...may(), unknown: 'whether the user may X' } }, {})).toMatch(
    /^warning: at old it could not be looked at whether the user may X; /,
  );
});

test('what a target’s user may not speaks against it, but for keys that may not come', () => {
  expect(found({}, { rights: may('RESTORE') })).toMatch(
    /^refused: the user app may not RESTORE at new .* ACL SETUSER app \+restore there grants it$/,
  );
  const key = (command: string) => ({ command, says: 'NOPERM', rule: '~*', lacks: 'key' }) as const;
  expect(found({}, { rights: { ...may(), lacking: [key('MSET')] } })).toMatch(/^warning: /);
  expect(found({}, { rights: { ...may(), lacking: [key('MSET'), key('SET')] } })).toMatch(/^refused: /);
});
