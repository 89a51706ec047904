// Random clients of several users at a running gate, each beside a twin at a server of its own: both must be told the same,
// byte for byte, and after each step every connection of the gate to its members must be what the gate takes it for.
// Rights, connections and the primary change meanwhile. Each run is 960 such histories, of test/conformance/gate-twins.test.ts,
// on four sets of servers at a time, because much of one history is waiting. What one client does once is a step, and so is
// a change of rights or primary: `--long` makes more than a million.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../setup.mjs';

export const runs = { usual: 1, long: 10 };
const lanes = 4;
const histories = 240;
const clients = 12;
/** Longer than in `npm test`: servers are made ready less often. */
const mostSteps = 80;

export function create() {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-fuzz-'));
  const report = path.join(folder, 'steps');
  let steps = 0;
  /** Of the run that is under way, or that failed: told after each history. */
  const underWay = () => (existsSync(report) ? Number(readFileSync(report, 'utf8')) : 0);

  async function run(random) {
    const env = {
      ...process.env,
      HOLDFAST_TWINS: String(histories),
      HOLDFAST_TWINS_LANES: String(lanes),
      HOLDFAST_TWINS_LENGTH: String(mostSteps),
      HOLDFAST_TWINS_CLIENTS: String(clients),
      HOLDFAST_SEED: String(random(2 ** 31)),
      HOLDFAST_TWINS_REPORT: report,
    };
    const file = 'test/conformance/gate-twins.test.ts';
    const child = spawn('npx', ['vitest', 'run', '--project', 'real', '--maxWorkers=1', file], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        // Some requests are long.
        text += chunk.toString('utf8').replace(/x{100,}/g, 'x…x');
      });
    }
    const [status] = await once(child, 'close');
    if (status !== 0) return `the seed of fast-check is ${env.HOLDFAST_SEED}\n${text}`;
    steps += underWay();
    rmSync(report, { force: true });
    return undefined;
  }

  return {
    run,
    close: () => rmSync(folder, { recursive: true, force: true }),
    summary: () => `${steps + underWay()} steps`,
  };
}
