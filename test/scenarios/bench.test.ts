import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { findProgram } from '../../src/process/programs.ts';
import { holdfast } from '../support/deployment.ts';
import { cleanUp, tempFolder } from '../support/redis-processes.ts';
import { isWhole } from '../support/whole-run.ts';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** Where what is measured has its files: it must be empty afterwards, and nobody may run in it. */
let folder = '';

beforeEach(() => {
  folder = tempFolder();
});
afterEach(async () => {
  await waitFor(() => pidsIn(folder).length === 0, { what: 'every process to be gone', withinMs: 60_000 });
  // An agent that was killed leaves it to a shell to remove the folder of the server that it had started for a moment.
  await waitFor(() => readdirSync(folder).length === 0, {
    what: 'the folder to be empty',
    withinMs: 2000,
  }).catch(() => {});
  expect(readdirSync(folder)).toEqual([]);
});
afterAll(cleanUp);

/** Processes whose working directory is in the folder: that is so for every server that is started to be measured. */
function pidsIn(where: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(where);
      } catch {
        return false;
      }
    });
}

async function bench<T>(...args: string[]): Promise<T> {
  const result = await holdfast(['bench', ...args, '--json'], { TMPDIR: folder });
  // 3: it ran, and costs more than is promised, as a process does that just started.
  if (result.status !== 0 && result.status !== 3)
    throw new Error(`bench ${args[0]} ended with ${result.status}: ${result.stderr}`);
  return JSON.parse(result.stdout) as T;
}

interface Head {
  bench: string;
  command: string;
  machine: { cores: number; server: string };
}

describe('benchmarks measure, say where, and leave nothing behind', () => {
  test('doors: each door in each test, as JSON, CSV and a page', async () => {
    const results = tempFolder();
    const csv = path.join(results, 'doors.csv');
    const html = path.join(results, 'doors.html');
    const few = ['--rounds', '1', '--requests', '500', '--clients', '4', '--tests', 'set,lrange_100'];
    const report = await bench<
      Head & { doors: string[]; cells: { door: string; rps: number }[]; failures: unknown[] }
    >('doors', ...few, '--pipeline', '1', '--durability', 'replicated', '--csv', csv, '--html', html);
    expect(report.doors).toEqual(
      expect.arrayContaining(['direct', 'gate', 'gate, mirrored', 'gate, replicated', 'HAProxy']),
    );
    expect(report.failures).toEqual([]);
    expect(report.cells).toHaveLength(2 * report.doors.length);
    expect(report.cells.every(({ rps }) => rps > 0)).toBe(true);
    expect(report.command).toBe(`holdfast bench doors ${few.join(' ')} --pipeline 1 --durability replicated`);
    expect(report.machine.server).toMatch(/^(Redis|Valkey) \d/);
    expect(readFileSync(csv, 'utf8').trim().split('\r\n')).toHaveLength(1 + 2 * report.doors.length);
    expect(readFileSync(html, 'utf8')).toContain('<h1>Doors');
  });

  test.skipIf(!isWhole)('vusers: the gate and the primary, with what the generator itself did', async () => {
    const report = await bench<
      Head & {
        steps: { door: string; rps: number; errors: object; utilization: number; offeredRps: number }[];
      }
    >('vusers', '--ramp', '40', '--think', '20ms', '--step', '500ms', '--rounds', '1');
    expect(report.steps.map(({ door }) => door)).toEqual(['gate', 'direct']);
    for (const { rps, errors, utilization, offeredRps } of report.steps) {
      expect(rps).toBeGreaterThan(0);
      expect(errors).toEqual({});
      expect(utilization).toBeGreaterThan(0);
      expect(offeredRps).toBe(2000);
    }
  });

  test.skipIf(!isWhole || ['mariadbd', 'my_print_defaults'].some((name) => findProgram(name) === undefined))(
    'app: an application on MariaDB and on Redis (skipped where MariaDB is not installed), and both killed',
    async () => {
      const report = await bench<
        Head & {
          mariadb: string;
          runs: { store: string; request: object; tps: number; errors: object }[];
          kills: { store: string; writeGapMs: number; usualRps: number }[];
        }
      >('app', '--stores', 'mariadb,replicated', '--users', '10', '--rows', '10', '--step', '300ms');
      expect(report.mariadb).toMatch(/^\d+\.\d+/);
      const requests = [
        { method: 'GET', rows: 10 },
        { method: 'POST', rows: 1 },
      ];
      for (const store of ['mariadb', 'replicated']) {
        const runs = report.runs.filter((run) => run.store === store);
        expect(runs.map(({ request }) => request)).toEqual(requests);
        expect(runs.map(({ errors }) => errors)).toEqual([{}, {}]);
        expect(Math.max(...runs.map(({ tps }) => tps))).toBeGreaterThan(0);
      }
      expect(report.kills.map(({ store }) => store)).toEqual(['mariadb', 'replicated']);
      expect(report.kills.every(({ writeGapMs, usualRps }) => writeGapMs > 0 && usualRps > 0)).toBe(true);
    },
  );

  test('kill: a dead primary is a gap in the writes, and its recovery is seen', async () => {
    const report = await bench<
      Head & {
        runs: {
          process: string;
          writeGapMs: number;
          recoveredMs: number | null;
          droppedConnections: number;
          moments: { label: string }[];
          slices: object[];
        }[];
      }
    >('kill', '--instances', 'primary', '--times', '1', '--clients', '20', '--think', '10ms');
    const [run] = report.runs;
    expect(run?.process).toBe('redis-1');
    expect(run?.writeGapMs).toBeGreaterThan(0);
    expect(run?.droppedConnections).toBe(0);
    expect(run?.moments.map(({ label }) => label.split(' ')[1])).toEqual(
      expect.arrayContaining(['exited', 'election', 'promoted', 'restart']),
    );
    expect(run?.slices.length).toBeGreaterThan(70);
  });

  test.skipIf(!isWhole)('persistence: a mode directly, through the gate, and replicated', async () => {
    const report = await bench<Head & { runs: { door: string; rps: number }[]; disk: { syncMs: number } }>(
      ...['persistence', '--modes', 'aof-always', '--tests', 'set', '--rounds', '1', '--requests', '300'],
    );
    expect(report.runs.map(({ door }) => door).toSorted()).toEqual(['direct', 'gate', 'gate, replicated']);
    expect(report.runs.every(({ rps }) => rps > 0)).toBe(true);
    expect(report.disk.syncMs).toBeGreaterThan(0);
  });

  test('idle: what each process costs', async () => {
    const report = await bench<
      Head & { processes: { id: string; cpuPercent: number; memoryBytes: number }[] }
    >('idle', ...['--seconds', '2', '--settle', '0']);
    expect(report.processes.map(({ id }) => id.replace(/-\d+$/, ''))).toEqual(
      expect.arrayContaining(['agent', 'gate', 'redis', 'sentinel']),
    );
    for (const { cpuPercent, memoryBytes } of report.processes) {
      expect(cpuPercent).toBeGreaterThanOrEqual(0);
      expect(memoryBytes).toBeGreaterThan(1e6);
    }
  });

  test('Ctrl-C in the middle ends it with 1 and the reason', async () => {
    const child = spawn(process.execPath, [command, 'bench', 'vusers', '--ramp', '50', '--json'], {
      env: { ...process.env, NO_COLOR: '1', TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const closed = once(child, 'close');
    // Members, Sentinels and the agent are there, or on their way.
    await waitFor(() => pidsIn(folder).length >= 4, { what: 'the deployment to start', withinMs: 60_000 });
    child.kill('SIGINT');
    const [code] = (await closed) as [number];
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'STOPPED_BY_SIGNAL' } });
  });

  test('what makes no sense is refused before anything is started', async () => {
    const wrong: [string[], RegExp][] = [
      [['doors', '--tests', 'set,fly'], /--tests: there is no 'fly'/],
      [['doors', '--csv', '/nonexistent/x.csv'], /--csv: \/nonexistent can't be written to/],
      [['doors', '--html', folder], /--html: .* is a folder/],
      [['vusers', '--ramp', '100,50'], /--ramp: 100,50 does not rise/],
      [['app', '--stores', 'mysql'], /--stores: there is no 'mysql'/],
      [['app', '--rows', '10,5000'], /--rows: 10,5000 is more than the table has/],
      [['kill', '--instances', 'agent'], /--instances: there is no 'agent'/],
      [['persistence', '--modes', 'aof'], /--modes: there is no 'aof'/],
    ];
    for (const [args, message] of isWhole ? wrong : wrong.slice(0, 3)) {
      const result = await holdfast(['bench', ...args], { TMPDIR: folder });
      expect(result.stderr).toMatch(message);
      expect(result.status).toBe(2);
    }
  });
});
