import { parseSize } from '../../base/size.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import { directiveKey, directivesIn } from '../../render/merge-directives.ts';

export interface SettingChange {
  name: string;
  from: string;
  to: string;
  /** Known to need a restart: Redis takes it at start-up only. */
  fixed: boolean;
}

/** Set by where a process is and by whom it follows, not by `apply`. */
const placed = new Set([
  ...[
    'port',
    'tls-port',
    'bind',
    'unixsocket',
    'unixsocketperm',
    'dir',
    'dbfilename',
    'logfile',
    'aclfile',
    'pidfile',
  ],
  ...['replicaof', 'slaveof', 'masteruser', 'masterauth', 'replica-announce-ip', 'replica-announce-port'],
]);

/** Immutable in Redis 7.0 (config.c, IMMUTABLE_CONFIG) among what a spec may plausibly set. */
const fixedSettings = new Set([
  ...['databases', 'io-threads', 'io-threads-do-reads', 'appendfilename', 'appenddirname', 'tcp-backlog'],
  ...['daemonize', 'supervised', 'always-show-logo', 'enable-debug-command', 'enable-protected-configs'],
  ...['enable-module-command', 'syslog-enabled', 'cluster-enabled', 'set-proc-title', 'rdb-del-sync-files'],
]);

/** The directives of a rendered redis.conf whose value in the running server is another. */
export async function differentSettings(rendered: string, client: MemberClient): Promise<SettingChange[]> {
  const wanted = new Map<string, string>();
  for (const line of directivesIn(rendered)) {
    const name = directiveKey(line);
    if (placed.has(name)) continue;
    const value = unquote(line.trim().slice(name.length).trim());
    wanted.set(name, [wanted.get(name), value].filter((part) => part !== undefined).join(' '));
  }
  const changes: SettingChange[] = [];
  for (const [name, to] of wanted) {
    const from = (await client.getConfig(name))[name];
    if (from === undefined || normal(from) === normal(to)) continue;
    changes.push({ name, from, to, fixed: fixedSettings.has(name) });
  }
  return changes;
}

/** One form for values that Redis prints otherwise than they were written: sizes in bytes, replica as slave. */
function normal(value: string): string {
  const words = value.split(/\s+/).filter((word) => word !== '');
  return words.map((word) => (word === 'replica' ? 'slave' : String(parseSize(word) ?? word))).join(' ');
}

function unquote(value: string): string {
  return value.replace(/^"(.*)"$/, '$1');
}
