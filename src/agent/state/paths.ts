/** Where a deployment's state lies on its host. One folder per process, everything readable by its owner only. */
import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface UnitPaths {
  folder: string;
  /** redis.conf, sentinel.conf or the gate's configuration. */
  config: string;
  aclFile: string;
  dataDir: string;
  log: string;
  /** Who the process is: pid, start time, run_id. */
  record: string;
  socket: string;
  /** What the agent remembers of a member's data. */
  memory: string;
  /** A change of its persistence that is under way. */
  persistence: string;
  /** There as long as the agent keeps a member from being promoted. */
  heldBack: string;
  /** That it ran before holdfast did. */
  takenOver: string;
}

export interface StatePaths {
  root: string;
  /** The name of the deployment whose state this is. */
  deployment: string;
  secret: string;
  /** The deployment's own tokens of the API: to look, and to change something. */
  apiToken: string;
  apiOperateToken: string;
  /** Tokens that were made, as digests, and which of the deployment's own were revoked. */
  tokens: string;
  /** Sessions that were logged out. */
  endedSessions: string;
  agentRecord: string;
  agentSocket: string;
  agentLog: string;
  events: string;
  /** Drills that were asked for over the API, and their pages. */
  drills: string;
  /** By which ids Sentinels know each other that ran before holdfast did. */
  sentinelIds: string;
  /** A line of figures for each minute. */
  history: string;
  /** A line of figures for each second of the last hour. */
  historySeconds: string;
  /** Flags that outlive the agent, such as a pause. */
  flags: string;
  /** Which mirrors are paused. */
  mirrors: string;
  /** What standalone members had of their own before they were emptied (`mirror.onSplit: serve`). */
  diverged: string;
  /** By mirror, what waits while its copy is away. */
  mirrorQueues: string;
  /** The state directories of migrations into the deployment. */
  migrations: string;
  /** The restore that is under way, for the agent that finds it. */
  restore: string;
  /** For whole RDBs that are needed for a moment. */
  scratch: string;
  member(id: string): UnitPaths;
  sentinel(id: string): UnitPaths;
  gate(id: string): UnitPaths;
}

/** `--state-dir`, or /var/lib/holdfast/NAME for root and $XDG_STATE_HOME/holdfast/NAME for others. */
export function stateDirOf(name: string, option: string | undefined): string {
  // What a link leads to: sockets must lie in a folder, which a link is not.
  if (option !== undefined) return existsSync(option) ? realpathSync(option) : path.resolve(option);
  if (process.getuid?.() === 0 && !process.env['XDG_STATE_HOME']) return path.join('/var/lib/holdfast', name);
  const base = process.env['XDG_STATE_HOME'] || path.join(os.homedir(), '.local', 'state');
  return path.join(base, 'holdfast', name);
}

export function statePaths(root: string): StatePaths {
  const unit = (kind: string, config: string) => (id: string) =>
    unitPaths(root, path.join(root, kind, id), config);
  return {
    root,
    deployment: path.join(root, 'deployment'),
    secret: path.join(root, 'secret'),
    apiToken: path.join(root, 'api-token'),
    apiOperateToken: path.join(root, 'api-operate-token'),
    tokens: path.join(root, 'tokens.json'),
    endedSessions: path.join(root, 'ended-sessions.json'),
    agentRecord: path.join(root, 'agent.json'),
    agentSocket: socketPath(root, path.join(root, 'agent.sock')),
    agentLog: path.join(root, 'agent.log'),
    events: path.join(root, 'events.jsonl'),
    drills: path.join(root, 'drills'),
    sentinelIds: path.join(root, 'sentinel-ids.json'),
    history: path.join(root, 'history.jsonl'),
    historySeconds: path.join(root, 'history-seconds.jsonl'),
    flags: path.join(root, 'flags.json'),
    mirrors: path.join(root, 'mirrors.json'),
    diverged: path.join(root, 'diverged'),
    mirrorQueues: path.join(root, 'mirrors'),
    migrations: path.join(root, 'migrations.json'),
    restore: path.join(root, 'restore.json'),
    scratch: path.join(root, 'scratch'),
    member: unit('members', 'redis.conf'),
    sentinel: unit('sentinels', 'sentinel.conf'),
    gate: unit('gates', 'gate.json'),
  };
}

function unitPaths(root: string, folder: string, config: string): UnitPaths {
  return {
    folder,
    config: path.join(folder, config),
    aclFile: path.join(folder, 'users.acl'),
    dataDir: path.join(folder, 'data'),
    log: path.join(folder, 'log'),
    record: path.join(folder, 'process.json'),
    socket: socketPath(root, path.join(folder, 'sock')),
    memory: path.join(folder, 'memory.json'),
    persistence: path.join(folder, 'persistence.json'),
    heldBack: path.join(folder, 'held-back'),
    takenOver: path.join(folder, 'taken-over.json'),
  };
}

/**
 * A Unix socket's path may have 107 bytes (sun_path in unix(7)), 103 on other systems, and HAProxy, which adds a suffix
 * of its own while it starts, takes 97.
 */
const longestSocketPath = 97;

/**
 * A state directory that is too deep gets its sockets in a private folder under the temporary one, named after the directory.
 */
function socketPath(root: string, wanted: string): string {
  if (Buffer.byteLength(wanted) <= longestSocketPath) return wanted;
  const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);
  return path.join(shortSocketFolder(digest(root)), `${digest(wanted)}.sock`);
}

function shortSocketFolder(name: string): string {
  const base = process.env['XDG_RUNTIME_DIR'] ?? '/tmp';
  return path.join(base, `holdfast-${process.getuid?.() ?? 0}-${name}`);
}
