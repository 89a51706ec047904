/** Looks for secrets where others on a machine see them: arguments and environments of all processes, logs, open files. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { SshServers } from './ssh-servers.ts';

/** Notes what processes are called with, again and again, until it is told what to look for in it. */
const watcher = `
const { readdirSync, readFileSync } = require('node:fs');
const seen = new Set();
const look = () => {
  for (const pid of readdirSync('/proc')) {
    if (!/^\\d+$/.test(pid) || pid === String(process.pid)) continue;
    for (const file of ['cmdline', 'environ'])
      try {
        seen.add(readFileSync('/proc/' + pid + '/' + file, 'latin1'));
      } catch {}
  }
};
const timer = setInterval(look, 25);
let text = '';
process.stdin.on('data', (piece) => { text += piece; }).on('end', () => {
  clearInterval(timer);
  const found = [...seen].filter((each) => JSON.parse(text).some((secret) => each.includes(secret)));
  process.stdout.write(JSON.stringify({ processes: seen.size, found }));
});
`;

export class SecretWatch {
  readonly #child: ChildProcess = spawn(process.execPath, ['-e', watcher], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });

  /** @returns how many argument lists and environments were seen, and those that hold one of the secrets */
  async end(secrets: readonly string[]): Promise<{ processes: number; found: string[] }> {
    (this.#child.stdin as Writable).end(JSON.stringify(secrets));
    let said = '';
    for await (const piece of this.#child.stdout as Readable) said += String(piece);
    return JSON.parse(said) as { processes: number; found: string[] };
  }
}

/** Logs and journals of a host, and files that everybody may read, which hold one of the secrets. */
export function filesWithSecrets(servers: SshServers, host: string, secrets: readonly string[]): string {
  const folders = '/etc/holdfast /opt/holdfast /var/lib/holdfast /run /tmp';
  const which = `-type f \\( -perm -004 -o -name '*.log' -o -name 'events*' \\)`;
  // The pattern by standard input: in an argument it would be found there.
  const script = `cat > /run/patterns; chmod 600 /run/patterns
find ${folders} ! -path '*/node_modules/*' ${which} -exec grep -l -a -F -f /run/patterns {} + || true
rm /run/patterns`;
  return servers.on(host, script, `${secrets.join('\n')}\n`);
}
