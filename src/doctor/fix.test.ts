import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseSpec } from '../spec/parse.ts';
import { runChecks } from './check.ts';
import { applyFixes, describeFix, describeUndo, undoFixes } from './fix.ts';
import { journalFolder } from './fix-journal.ts';
import { readHost } from './host/host-facts.ts';
import { hostChecks } from './host-checks.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'holdfast-fix-'));
  for (const [file, text] of Object.entries(before)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const hugePages = '/sys/kernel/mm/transparent_hugepage/enabled';
const before: Record<string, string> = {
  '/proc/sys/vm/overcommit_memory': '0\n',
  '/proc/sys/vm/swappiness': '60\n',
  [hugePages]: '[always] madvise never\n',
  '/etc/sysctl.d/90-holdfast.conf': 'vm.swappiness = 10\n',
  '/proc/self/limits': 'Max open files   1024   4096   files\n',
};

const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const look = () => runChecks(hostChecks, readHost(parseSpec('name: x', 'x'), null, '/var/lib/x', root));
const fixes = () => look().flatMap(({ repair }) => (repair ? [repair] : []));

test('a fix is shown before it is made', () => {
  const lines = fixes().flatMap(describeFix);
  expect(lines).toContain('now:     /proc/sys/vm/overcommit_memory = 1');
  expect(
    lines.some((line) =>
      line.startsWith('lasting: /etc/sysctl.d/90-holdfast.conf: vm.overcommit_memory = 1'),
    ),
  ).toBe(true);
});

test('fixes hold now and after a boot, the checks are content, and all of it can be undone', async () => {
  const wanted = fixes();
  expect(wanted).toHaveLength(4);
  await applyFixes(wanted, root);
  expect(read('/proc/sys/vm/overcommit_memory').trim()).toBe('1');
  expect(read(hugePages)).toBe('madvise');
  expect(read('/etc/sysctl.d/90-holdfast.conf')).toContain('vm.overcommit_memory = 1');
  expect(read('/etc/systemd/system/holdfast-hugepages.service')).toContain('echo madvise');
  expect(read('/etc/security/limits.d/90-holdfast.conf')).toContain('holdfast hard nofile 65536');
  const left = look().filter(({ repair }) => repair);
  // The limit of a process that already runs doesn't change.
  expect(left.map(({ id }) => id)).toEqual(['open-files']);

  await undoFixes(root);
  for (const [file, text] of Object.entries(before)) {
    expect(read(file)).toBe(file === hugePages ? 'always' : text);
  }
  expect(existsSync(path.join(root, '/etc/systemd/system/holdfast-hugepages.service'))).toBe(false);
  expect(existsSync(path.join(root, journalFolder))).toBe(false);
});

test('a second fix does not forget what was there before the first', async () => {
  await applyFixes(fixes(), root);
  await applyFixes([{ files: [{ file: '/proc/sys/vm/swappiness', text: '5\n', kind: 'live' }] }], root);
  await undoFixes(root);
  expect(read('/proc/sys/vm/swappiness')).toBe('60\n');
});

test('a file that cannot be written is named, and nothing is there to undo twice', async () => {
  const fix = { files: [{ file: '/proc/sys/net/core/somaxconn', text: '1', kind: 'live' as const }] };
  await expect(applyFixes([fix], root)).rejects.toMatchObject({
    code: 'FIX_FAILED',
    message: expect.stringContaining('/proc/sys/net/core/somaxconn'),
  });
  await undoFixes(root);
  await expect(undoFixes(root)).rejects.toMatchObject({ code: 'NOTHING_TO_UNDO' });
});

test('what is undone is shown before; modes come back and folders that were made go', async () => {
  chmodSync(path.join(root, '/etc/sysctl.d/90-holdfast.conf'), 0o640);
  await applyFixes(fixes(), root);
  const lines = await describeUndo(root);
  expect(lines).toContain('now:     /proc/sys/vm/swappiness = 60');
  expect(lines).toContain('remove:  /etc/systemd/system/holdfast-hugepages.service');
  await undoFixes(root);
  expect(statSync(path.join(root, '/etc/sysctl.d/90-holdfast.conf')).mode & 0o777).toBe(0o640);
  expect(existsSync(path.join(root, '/etc/systemd'))).toBe(false);
  expect(existsSync(path.join(root, '/etc/security'))).toBe(false);
});

describe('a journal that someone else wrote', () => {
  const entry = {
    file: '/etc/sysctl.d/90-holdfast.conf',
    kind: 'lasting',
    before: 'x',
    mode: 0o644,
    madeFolders: [],
  };
  const write = (text: string) => {
    mkdirSync(path.join(root, journalFolder), { recursive: true, mode: 0o700 });
    writeFileSync(path.join(root, journalFolder, 'journal.json'), text, { mode: 0o600 });
  };

  test.each([
    ['names another file', [{ ...entry, file: '/etc/cron.d/evil' }]],
    ['leads elsewhere', [{ ...entry, file: '/etc/sysctl.d/../cron.d/evil' }]],
    ['makes a program that runs as root', [{ ...entry, mode: 0o14755 }]],
    ['removes folders of others', [{ ...entry, before: null, mode: null, madeFolders: ['/home'] }]],
    ['is no journal', { toString: 1 }],
  ])('%s: nothing is restored', async (_what, journal) => {
    write(JSON.stringify(journal));
    await expect(undoFixes(root)).rejects.toMatchObject({ code: 'DOCTOR_JOURNAL_UNFIT' });
    expect(read('/etc/sysctl.d/90-holdfast.conf')).toBe('vm.swappiness = 10\n');
    expect(existsSync(path.join(root, '/etc/cron.d'))).toBe(false);
  });

  test.each([
    ['whose folder', journalFolder],
    ['that itself', `${journalFolder}/journal.json`],
  ])('%s others can write is not read', async (_what, where) => {
    write(JSON.stringify([entry]));
    chmodSync(path.join(root, where), 0o777);
    await expect(undoFixes(root)).rejects.toMatchObject({ code: 'DOCTOR_JOURNAL_UNFIT' });
  });

  test('behind a link is not read', async () => {
    write(JSON.stringify([entry]));
    renameSync(path.join(root, journalFolder), path.join(root, 'elsewhere'));
    symlinkSync(path.join(root, 'elsewhere'), path.join(root, journalFolder));
    await expect(undoFixes(root)).rejects.toMatchObject({ code: 'DOCTOR_JOURNAL_UNFIT' });
  });
});
