// The journal that `doctor --undo` restores from, spoilt, in a machine that is a folder: whatever it says, no file comes,
// goes or changes but those that `doctor --fix` may change, and none gets a mode that lets it run as its owner.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mutateJson, mutateText } from '../fuzz-support/mutate.mjs';
import { root } from '../setup.mjs';

const load = (name) => import(path.join(root, 'dist', 'doctor', `${name}.js`));

export async function create() {
  const [{ undoFixes }, { journalFolder }, { isFixable }] = await Promise.all(
    ['fix', 'fix-journal', 'host/fixable-files'].map(load),
  );
  const machine = mkdtempSync(path.join(tmpdir(), 'holdfast-fuzz-'));
  process.on('exit', () => rmSync(machine, { recursive: true, force: true }));
  const entries = [
    {
      file: '/etc/sysctl.d/90-holdfast.conf',
      kind: 'lasting',
      before: 'a = 1\n',
      mode: 0o644,
      madeFolders: [],
    },
    {
      file: '/etc/security/limits.d/90-holdfast.conf',
      kind: 'lasting',
      before: null,
      mode: null,
      madeFolders: ['/etc/security/limits.d'],
    },
    { file: '/proc/sys/vm/swappiness', kind: 'live', before: '60\n', mode: 0o644, madeFolders: [] },
  ];
  let undone = 0;

  function reset() {
    rmSync(machine, { recursive: true, force: true });
    for (const folder of ['/etc/sysctl.d', '/etc/security/limits.d', '/proc/sys/vm', '/home/someone'])
      mkdirSync(path.join(machine, folder), { recursive: true });
    writeFileSync(path.join(machine, '/etc/passwd'), 'root');
    mkdirSync(path.join(machine, journalFolder), { recursive: true, mode: 0o700 });
  }
  reset();

  async function run(random) {
    const text = JSON.stringify(mutateJson(entries, random));
    mkdirSync(path.join(machine, journalFolder), { recursive: true, mode: 0o700 });
    const journal = path.join(machine, journalFolder, 'journal.json');
    writeFileSync(journal, random(3) === 0 ? mutateText(text, random, '{}[],:"0/.') : text, { mode: 0o600 });
    let refused = false;
    try {
      await undoFixes(machine);
      undone++;
    } catch (error) {
      if (!['DOCTOR_JOURNAL_UNFIT', 'NOTHING_TO_UNDO', 'FIX_FAILED'].includes(error.code)) throw error;
      refused = error.code === 'DOCTOR_JOURNAL_UNFIT';
    }
    // What was refused has changed nothing that the next look would not find: most of the time goes into looking.
    if (refused && random(16) > 0) return undefined;
    for (const name of readdirSync(machine, { recursive: true })) {
      const file = path.join('/', name);
      const found = statSync(path.join(machine, name));
      if (!found.isFile() || file.startsWith(journalFolder)) continue;
      if (file !== '/etc/passwd' && !isFixable(file)) return `made ${file}: ${text}`;
      if ((found.mode & 0o6000) !== 0) return `${file} runs as its owner: ${text}`;
    }
    if (readFileSync(path.join(machine, '/etc/passwd'), 'utf8') !== 'root')
      return `changed /etc/passwd: ${text}`;
    statSync(path.join(machine, '/home/someone'));
    if (random(50) === 0) reset();
    return undefined;
  }

  return { run, summary: () => `${undone} undone` };
}
