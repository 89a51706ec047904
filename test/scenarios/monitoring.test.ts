/**
 * Three agents, and a real Prometheus on one of their hosts with the configuration that `render prometheus` writes. The
 * other two are other machines to it.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentMetrics } from '../../src/agent/api/agent-metrics.ts';
import { waitFor } from '../../src/base/retry.ts';
import { gateMetrics } from '../../src/gate/control/gate-metrics.ts';
import { rows } from '../../src/render/monitoring/panels.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { HostFleet } from '../support/host-fleet.ts';

const run = promisify(execFile);
const hosts = ['a', 'b', 'c'];
const why = whyNoNetworkHosts();

interface Answer {
  status: number;
  text: string;
}

describe.skipIf(why !== null)(`monitoring${why === null ? '' : `: skipped, ${why}`}`, () => {
  let fleet: HostFleet;

  beforeAll(async () => {
    fleet = new HostFleet(hosts, {
      redis: { on: hosts, maxMemory: '100mb' },
      sentinel: { on: hosts },
      gate: { on: ['a'] },
      agent: { bind: '0.0.0.0' },
    });
    await Promise.all(hosts.map((host) => fleet.up(host)));
    await fleet.waitUntilHealthy();
  });
  // Everything that runs on its hosts, Prometheus too, ends with the fleet.
  afterAll(() => fleet?.destroy());

  const apiOf = (host: string) => `http://${fleet.network.addressOf(host)}:${fleet.spec.agent.port}`;
  const token = (host: string) => readFileSync(path.join(fleet.stateDir(host), 'api-token'), 'utf8').trim();

  /** Asks from host a, over the network. */
  async function ask(url: string, bearer?: string): Promise<Answer> {
    const program = `
      const [url, bearer] = process.argv.slice(1);
      const headers = bearer ? { authorization: 'Bearer ' + bearer } : {};
      const answer = await fetch(url, { headers, signal: AbortSignal.timeout(5000) });
      console.log(JSON.stringify({ status: answer.status, text: await answer.text() }));`;
    const [command = '', ...before] = fleet.network.on('a');
    const node = [process.execPath, '--input-type=module', '-e', program, url, bearer ?? ''];
    return JSON.parse((await run(command, [...before, ...node])).stdout) as Answer;
  }

  test('the API answers other machines that have the token, and its own machine without', async () => {
    for (const host of hosts)
      expect(statSync(path.join(fleet.stateDir(host), 'api-token')).mode & 0o777).toBe(0o600);
    expect(new Set(hosts.map(token)).size).toBe(1);
    for (const question of ['/status', '/events', '/metrics']) {
      const refused = await ask(`${apiOf('b')}${question}`);
      expect(refused.status).toBe(401);
      expect(refused.text).toContain('API_TOKEN_NEEDED');
      expect((await ask(`${apiOf('b')}${question}`, 'wrong')).status).toBe(401);
      expect((await ask(`${apiOf('b')}${question}`, token('b'))).status).toBe(200);
    }
    expect((await ask(`${apiOf('b')}/health`)).text).toBe('{"state":"healthy"}');
    // A guard on the host itself asks the address that the API listens on.
    expect((await ask(`${apiOf('a')}/status`)).status).toBe(200);
    expect((await ask(`http://127.0.0.1:${fleet.spec.agent.port}/status`)).status).toBe(200);
  });

  test('every metric is there, in a form that Prometheus’s own check accepts', async () => {
    const client = await fleet.client('a', 'a', fleet.spec.gates[0]?.port as number);
    for (let key = 0; key < 20; key += 1) await client.set(`k${key}`, 'v');
    await client.get('k1');
    await expect(client.call('LPUSH', 'k1', 'x')).rejects.toThrow(/WRONGTYPE/);
    const all = [...Object.values(agentMetrics), ...Object.values(gateMetrics)].map(({ name }) => name);
    // A backup is for those who have one, and so are routes.
    const wanted = all.filter((name) => !/^holdfast_(backup|gate_route|gate_mirror)_/.test(name));
    const error = 'holdfast_gate_errors_total{deployment="fleet",gate="gate-1",error="WRONGTYPE"} 1';
    const lines = [...wanted.map((name) => `# TYPE ${name} `), error];
    const { text } = await waitFor(
      async () => {
        const answer = await ask(`${apiOf('a')}/metrics`);
        const missing = lines.filter((line) => !answer.text.includes(line));
        if (missing.length === 0) return answer;
        throw new Error(`missing: ${missing.join(', ')}`);
      },
      { what: 'all metrics', withinMs: 60_000, everyMs: 200 },
    );
    expect(text).toMatch(
      /holdfast_gate_commands_total\{deployment="fleet",gate="gate-1",class="write"\} [1-9]/,
    );
    const check = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect(`${check.stdout}${check.stderr}`.trim()).toBe('');
    expect(check.status).toBe(0);
  });

  test('Prometheus, as rendered, scrapes every agent, and the panels of the dashboard have data', async () => {
    const folder = path.join(fleet.folder, 'prometheus');
    const rendered = await fleet.run('a', 'render', ['--out', folder, '--set', 'interval=1'], ['prometheus']);
    expect(rendered.stderr).toBe('');
    const [command = '', ...before] = fleet.network.on('a');
    const config = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
    const listen = '--web.listen-address=127.0.0.1:9090';
    spawn(command, [...before, 'prometheus', ...config, listen], { stdio: 'ignore' });
    const socket = await fleet.network.relay('a', '127.0.0.1', 9090);
    const query = async (expr: string) => {
      const { data } = await get(socket, `/api/v1/query?query=${encodeURIComponent(expr)}`);
      return (data as { result: { metric: Record<string, string>; value: [number, string] }[] }).result;
    };
    await waitFor(async () => (await query('sum(up)'))[0]?.value[1] === '3', {
      what: 'Prometheus to scrape three agents',
      withinMs: 60_000,
      everyMs: 200,
    });

    // Of quiet days these have nothing to say.
    const quiet = ['Last good backup'];
    const panels = rows.flatMap((row) => row.panels).filter(({ title }) => !quiet.includes(title));
    await waitFor(
      async () => {
        const empty = [];
        for (const { title, queries } of panels) {
          const found = await Promise.all(queries.map(([expr]) => query(filled(expr))));
          if (found.every(({ length }) => length === 0)) empty.push(title);
        }
        if (empty.length === 0) return true;
        throw new Error(`no data: ${empty.join(', ')}`);
      },
      { what: 'every panel to have data', withinMs: 60_000, everyMs: 500 },
    );
    expect(await query('ALERTS{alertstate="firing"}')).toEqual([]);

    // What the agents of other hosts see of a lost one reaches the rules.
    await fleet.killHost('c');
    const agents = async () => (await query('count(holdfast_epoch)'))[0]?.value[1];
    await waitFor(async () => (await agents()) === '2', {
      what: 'the agent of c to be missed',
      withinMs: 60_000,
    });
    const down = 'max by (member) (holdfast_member_up) == 0';
    await waitFor(async () => (await query(down))[0]?.metric['member'] === 'redis-3', {
      what: 'redis-3 to be seen down',
      withinMs: 60_000,
    });
  });
});

function filled(expr: string): string {
  return expr.replaceAll('$D', 'deployment="fleet"').replaceAll('$__rate_interval', '10s');
}

/** Asks Prometheus's API over a relay. */
function get(socketPath: string, url: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: url, timeout: 5000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        try {
          resolve(JSON.parse(text) as Record<string, unknown>);
        } catch (error) {
          reject(error);
        }
      });
    });
    call.on('timeout', () => call.destroy(new Error('no answer')));
    call.on('error', reject).end();
  });
}
