// `npm run suites -- redis FOLDER`: another project's own tests, from a checkout that was fetched by hand, once against a
// redis-server and once through a gate before such a server, and what differs between the two. `docs/suites.md` says
// where each suite comes from. A suite is a file in scripts/suites/ that exports `units(folder)`, and `run(unit, at)`,
// which gives `{ passed, failed, ended }`: names of tests, and null or why the unit did not come to its end.
// Each unit runs in network and process namespaces of its own (so as root): suites want fixed ports, and leave things behind.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild, ensureDependencies, root } from './setup.mjs';

const ways = ['direct', 'gate'];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    unit: { type: 'string', multiple: true },
    way: { type: 'string', multiple: true, default: ways },
    seconds: { type: 'string', default: '600' },
    skip: { type: 'string', multiple: true, default: [] },
    log: { type: 'string' },
  },
});
const suites = readdirSync(path.join(root, 'scripts', 'suites')).map((file) => path.basename(file, '.mjs'));
const [suite, folder] = positionals;
if (!suites.includes(suite) || folder === undefined) {
  console.error(
    `suites: say which suite (${suites.join(', ')}) and the folder of its checkout: npm run suites -- redis /tmp/redis-7.0.15`,
  );
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  console.error('suites: network namespaces need root');
  process.exit(2);
}
ensureDependencies();
ensureBuild();

const { units } = await import(`./suites/${suite}.mjs`);
const results = mkdtempSync(path.join(tmpdir(), 'holdfast-suites-'));
const total = { direct: 0, gate: 0 };
let differences = 0;
console.log(
  '| unit | passed directly | passed through the gate | only directly |\n| --- | ---: | ---: | --- |',
);
for (const unit of values.unit ?? (await units(path.resolve(folder)))) {
  const found = Object.fromEntries(values.way.map((way) => [way, runUnit(unit, way)]));
  const only = onlyDirectly(found);
  differences += only.length;
  for (const way of values.way) total[way] += found[way].passed.length;
  const count = (way) => (found[way] === undefined ? '' : summary(found[way]));
  console.log(`| ${unit} | ${count('direct')} | ${count('gate')} | ${only.join('; ')} |`);
}
console.log(`| all | ${total.direct} | ${total.gate} | ${differences} |`);
rmSync(results, { recursive: true, force: true });

function runUnit(unit, way) {
  const file = path.join(results, 'result.json');
  const request = {
    suite,
    folder: path.resolve(folder),
    unit,
    way,
    skip: values.skip,
    file,
    log: logFile(unit, way),
  };
  const inside = path.join(root, 'scripts', 'suites-support', 'run-unit.mjs');
  const namespaces = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const begin = 'ip link set lo up && exec "$@"';
  const command = [
    'sh',
    '-c',
    begin,
    'sh',
    process.execPath,
    inside,
    JSON.stringify({ ...request, seconds: Number(values.seconds) }),
  ];
  rmSync(file, { force: true });
  const { status } = spawnSync('unshare', [...namespaces, ...command], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  try {
    const found = JSON.parse(readFileSync(file, 'utf8'));
    if (request.log !== null) writeFileSync(`${request.log}.failed`, found.failed.join('\n'));
    return found;
  } catch {
    return { passed: [], failed: [], ended: `it ended with ${status} and left no result` };
  }
}

function logFile(unit, way) {
  return values.log === undefined
    ? null
    : path.resolve(values.log, `${unit.replaceAll('/', '-')}.${way}.log`);
}

function summary({ passed, failed, ended }) {
  const notes = [failed.length > 0 ? `${failed.length} failed` : '', ended ?? ''].filter(
    (each) => each !== '',
  );
  return `${passed.length}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

/** A name may occur more than once: each is counted. */
function onlyDirectly({ direct, gate }) {
  if (direct === undefined || gate === undefined) return [];
  const rest = [...gate.passed];
  return direct.passed.filter((name) => {
    const index = rest.indexOf(name);
    if (index >= 0) rest.splice(index, 1);
    return index < 0;
  });
}
