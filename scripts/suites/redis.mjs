// Redis's own suite, for a server that runs elsewhere: `runtest --host`, one unit at a time. It needs Tcl.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Units in the order of the suite; integration tests start servers of their own and say nothing of a port. */
export function units(folder) {
  const list = /set ::all_tests \{([^}]*)\}/.exec(
    readFileSync(path.join(folder, 'tests', 'test_helper.tcl'), 'utf8'),
  );
  return list[1].split(/\s+/).filter((each) => each.startsWith('unit/'));
}

export async function run(unit, { folder, port, memberPort, skip, runProgram }) {
  const helper = writeHelper(folder, memberPort);
  mkdirSync(path.join(folder, 'src'), { recursive: true });
  for (const program of ['redis-server', 'redis-cli', 'redis-benchmark']) {
    const link = path.join(folder, 'src', program);
    if (!existsSync(link)) symlinkSync(`/usr/bin/${program}`, link);
  }
  const skipped = skip.flatMap((each) => ['--skiptest', each]);
  const at = ['--host', '127.0.0.1', '--port', String(port)];
  const { text, ended } = await runProgram('tclsh', [
    helper,
    ...at,
    '--tags',
    '-slow',
    '--durable',
    '--single',
    unit,
    ...skipped,
  ]);
  const lines = text.replace(/\x1b\[[\d;]*m/g, '').split('\n');
  const names = (mark, pattern) =>
    lines.filter((line) => line.startsWith(mark)).map((line) => pattern.exec(line)?.[1] ?? line);
  const whole = lines.some((line) => line.includes('The End'));
  return {
    passed: names('[ok]: ', /^\[ok\]: (.*) \(\d+ ms\)$/),
    failed: names('[err]: ', /^\[err\]: (.*?)(?: in tests\/.*)?$/),
    ended: ended ?? (whole ? null : (lines.find((line) => line.startsWith('[exception]')) ?? 'it broke off')),
  };
}

/** Some tests read the replication stream, as a replica does: from the member, since the gate lets no replica in. */
function writeHelper(folder, memberPort) {
  const helper = readFileSync(path.join(folder, 'tests', 'test_helper.tcl'), 'utf8');
  const stream =
    /(proc attach_to_replication_stream .*?else \{\s*set s \[socket \[srv 0 "host"\]) \[srv 0 "port"\]/s;
  if (!stream.test(helper))
    throw new Error('tests/test_helper.tcl does not open the replication stream as it did');
  const file = path.join('tests', 'holdfast_helper.tcl');
  writeFileSync(path.join(folder, file), helper.replace(stream, `$1 ${memberPort}`));
  return file;
}
