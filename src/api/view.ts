/** The view: a deployment at one instant, as the agent that was asked sees it, with what its colleagues told it. */
import { z } from 'zod';
import { ageMs, amount, count, flag, id, orNull, place, port, text, time } from './fields.ts';

const memberStates = [
  ...(['starting', 'loading', 'up', 'syncing', 'disconnected', 'busy'] as const),
  ...(['hung', 'down', 'unreachable', 'failed', 'refused'] as const),
] as const;
const sentinelStates = [
  ...(['starting', 'up', 'tilt', 'unassigned', 'hung', 'down', 'unreachable', 'failed'] as const),
] as const;
const gateStates = ['starting', 'open', 'holding', 'refusing', 'hung', 'down', 'failed'] as const;

const memberStateText = [
  'How it is. starting: its process runs and has not answered yet.',
  'loading: it reads its data.',
  'syncing: a replica that copies everything; disconnected: one without a link to its primary.',
  'busy: it works and serves nobody: a script, CLIENT PAUSE, a slow command.',
  'hung: it answered before and does not now, though its process lives.',
  'down: no process listens there. unreachable: of another host, it does not answer.',
  'failed: its restarts are used up. refused: the agent does not start it, because that would cost data.',
].join(' ');

/** Beside a state. */
const why = {
  reason: orNull(
    text('What is known of why, a clause without its name. Of a gate that is open: what is unusual.'),
  ),
  stateForMs: orNull(amount('For how long it has been so, as far as that is known.')),
};

const memory = z
  .object({
    usedBytes: amount('used_memory.'),
    maxBytes: orNull(amount('maxmemory; null for no limit.')),
    rssBytes: orNull(amount('used_memory_rss: what the kernel says.')),
    fragmentation: orNull(amount('mem_fragmentation_ratio.')),
  })
  .describe('Memory of a member.');

const persistence = z
  .object({
    savedAt: orNull(time('When it last saved an RDB.')),
    saving: flag('An RDB is being saved.'),
    saveOk: flag('The last save of an RDB succeeded.'),
    aofOk: orNull(flag('Writing and rewriting the AOF works; null without one.')),
    rewriting: flag('The AOF is being rewritten.'),
    unsavedChanges: orNull(count('Changes since the last RDB.')),
  })
  .describe('How a member keeps its data.');

export const memberSchema = z
  .object({
    ...place,
    role: orNull(z.enum(['primary', 'replica']).describe('What it is now; null when it does not answer.')),
    state: z.enum(memberStates).describe(memberStateText),
    ...why,
    ageMs,
    pid: orNull(count('Its process; null when it does not run, and for a member of another host.')),
    follows: orNull(id('The member that a replica follows.')),
    linkUp: flag('A replica: its link to the primary is up. A primary: true.'),
    offset: amount('Bytes of the replication stream.'),
    lagBytes: orNull(amount('Bytes behind the primary; null when unknown.')),
    lagMs: orNull(amount('For how long it has been behind; 0 when it is not.')),
    eligible: orNull(flag('It may be promoted: its replica-priority is not 0.')),
    priority: orNull(count('Its replica-priority.')),
    keys: orNull(count('Keys in all databases.')),
    clients: orNull(count('Connections to it, those of gates, agents and replicas included.')),
    commandsPerSecond: orNull(amount('Commands that it executed in the last second.')),
    evictedKeys: orNull(count('Keys evicted since it started.')),
    memory: orNull(memory),
    persistence: orNull(persistence),
    restarts: count('Restarts within the window of agent.restarts.'),
    version: orNull(text('Of its server: "redis 7.0.15".')),
    refusal: orNull(text('Why the agent refused to start it.')),
    refusalCode: orNull(text('The same, for machines.')),
    trouble: orNull(
      text(
        'What keeps it from serving: damaged files, a full disk, full memory, a changed setting, paused writes.',
      ),
    ),
    troubleCode: orNull(
      z
        .enum([
          'data-damaged',
          'disk-full',
          'memory-full',
          'memory-scarce',
          'writes-refused',
          'writes-held',
          'not-persisted',
          'user-restricted',
          'cannot-follow',
        ])
        .describe(
          'The same, for machines. memory-scarce: it serves, and will soon refuse writes. writes-refused: it answers writes with an error. writes-held: it answers no write (CLIENT PAUSE). not-persisted, user-restricted, cannot-follow (it can’t log in at a primary): by something that was changed in it.',
        ),
    ),
  })
  .describe('A redis-server of the deployment.');

export const sentinelSchema = z
  .object({
    ...place,
    state: z
      .enum(sentinelStates)
      .describe(
        'As of a member; tilt: it acts on nothing for 30 s; unassigned: it watches no primary of this deployment.',
      ),
    ...why,
    ageMs,
    pid: orNull(count('Its process; null for one of another host.')),
    names: orNull(id('The member that it names, or named when it answered last, as primary.')),
    epoch: count('The configuration epoch under which it names it.'),
    agreesDown: flag('It says that a majority agrees that the primary is down.'),
    failover: flag('It says that a failover is under way.'),
    voted: orNull(
      z
        .object({
          epoch: count('The epoch of the vote.'),
          ours: flag('For the agent that was asked.'),
          at: time('When this agent heard of it.'),
        })
        .describe('Its last vote in an election, as far as this agent heard.'),
    ),
  })
  .describe('A redis-sentinel.');

const latency = orNull(
  z
    .object({ p50Ms: amount('Half took at most this.'), p99Ms: amount('99 of 100 took at most this.') })
    .describe('Of the requests of the last second, holding included; null when there were none.'),
);

export const gateSchema = z
  .object({
    ...place,
    replicaPort: orNull(port('Its read-only port.')),
    kind: z.enum(['gate', 'haproxy']).describe('What it is.'),
    state: z.enum(gateStates).describe('As of a member; holding: commands wait for a primary.'),
    ...why,
    ageMs,
    pid: orNull(count('Its process.')),
    primary: orNull(id('The member that it sends writes to.')),
    primarySince: orNull(time('Since when.')),
    clients: orNull(count('Clients connected.')),
    held: orNull(
      count('The most clients that waited for a primary at one time, in the last one to two seconds.'),
    ),
    commandsPerSecond: orNull(amount('Requests of the last second.')),
    errorsPerSecond: orNull(amount('Error replies of the last second.')),
    bytesInPerSecond: orNull(amount('From clients.')),
    bytesOutPerSecond: orNull(amount('To clients.')),
    latency: z
      .object({ read: latency, write: latency })
      .describe('write: pipelines with a request that may write.'),
    classes: z
      .record(z.string(), z.number())
      .describe('Requests of the last second by class: docs/gate.md says what each is.'),
    commands: z
      .record(z.string(), z.number())
      .describe('Requests since it started, the 50 most frequent commands.'),
    errors: z.record(z.string(), z.number()).describe('Error replies since it started, by their first word.'),
    uncertain: orNull(count('Writes answered with UNCERTAIN since it started.')),
    connections: orNull(
      z
        .object({ shared: count('Shared by clients.'), private: count("One client's own.") })
        .describe('Connections to members.'),
    ),
    sentinelsSeen: orNull(count('Sentinels that answer it.')),
    memoryBytes: orNull(amount('Of its processes.')),
    cpuShare: orNull(amount('Of one core, in the last second: 0.5 is half of it.')),
  })
  .describe(
    'A front door. What only the agent of its host can see is null while that agent does not answer.',
  );

export const hostSchema = z
  .object({
    id: id('Its id in the spec.'),
    address: text('What others connect to.'),
    agent: z
      .enum(['here', 'up', 'missing'])
      .describe(
        'here: the agent that was asked. missing: its agent does not answer, and what only it can see is unknown or old.',
      ),
    missing: orNull(text('Why its answer is missing.')),
    ageMs,
    version: orNull(text('Of its holdfast.')),
    startedAt: orNull(time('When its agent started.')),
    memoryBytes: orNull(amount('Of its agent.')),
    cpuShare: orNull(amount('Of its agent, of one core, in the last second.')),
    load: orNull(amount('Load average of the host, 1 minute.')),
    disk: orNull(
      z
        .object({ freeBytes: amount('For us.'), totalBytes: amount('Of the file system.') })
        .describe('Where the state directory lies.'),
    ),
  })
  .describe('A machine, and its agent.');

export const driftSchema = z
  .object({
    member: id('Where.'),
    kind: z.enum(['setting', 'user']).describe('A directive of redis.conf, or an ACL user.'),
    name: text('Which.'),
    running: text('What it runs with.'),
    wanted: text('What the spec says.'),
    keepsOut: flag('Of a user: nobody can log in as it by what the spec has.').optional(),
  })
  .describe('What a member runs with and the spec does not say.');

export const backupStatusSchema = z
  .object({
    lastGoodId: orNull(id('The newest backup, as this agent last saw the store.')),
    lastGoodAt: orNull(time('When it was begun.')),
    ageMs: orNull(amount('How long ago.')),
    nextAt: orNull(time('When the next is due.')),
    lastError: orNull(text('Why the last try failed; null once one has succeeded.')),
    lastVerifiedAt: orNull(time('When one was verified last.')),
    lastVerifiedGood: orNull(flag('Whether that one is good.')),
    running: flag('One is being taken.'),
    unread: flag(
      'The store was not looked at since the agent started: that no backup is known says nothing yet.',
    ).default(false),
  })
  .describe('The schedule of backups.');

export const movesSchema = z
  .object({
    mirrors: count('Mirrors of the spec.'),
    migrations: count('Migrations into the deployment that are neither finished nor given up.'),
    unwell: count('Those of them that wait, have failed, or are run by no process.'),
    // An agent of a release before this one says nothing of it.
    troubles: z
      .array(z.string())
      .max(100)
      .default([])
      .describe('What is wrong with mirrors and migrations, a sentence each.'),
  })
  .describe('Data on its way: how much of it there is to look at in /api/mirrors and /api/migrations.');

export const hostReportSchema = z
  .object({
    host: hostSchema,
    seq: count('The number of the last event that its agent noted.'),
    // Agents of earlier releases say nothing of it.
    jobs: count('Goes up whenever a job of its agent changes.').default(0),
    members: z.array(memberSchema),
    sentinels: z.array(sentinelSchema),
    gates: z.array(gateSchema),
    drift: z.array(driftSchema),
    // Nor of these.
    troubles: z
      .array(z.string())
      .max(100)
      .default([])
      .describe('What is wrong on this host beside what its processes show, a sentence each.'),
    moves: movesSchema.default({ mirrors: 0, migrations: 0, unwell: 0, troubles: [] }),
  })
  .describe('What only the agent of this host can see, for its colleagues.');

const operation = z
  .object({
    text: text('What is under way, as people read it: "a switchover".'),
    job: orNull(id('The job whose it is; null for what was not asked for here.')),
    steps: z.array(z.object({ at: time('When.'), text: text('What.') })).describe('Its steps so far.'),
  })
  .describe('The planned change that is under way.');

export const viewSchema = z
  .object({
    name: id('Of the deployment.'),
    at: time('When this picture was made.'),
    host: id('Of the agent that made it.'),
    seq: count('The number of the last event that this agent noted.'),
    events: text('How far the events of all hosts are known: `after` of /api/events takes it.'),
    jobs: text('Another text whenever a job of any host changed: /api/jobs has news then.'),
    state: z.enum(['healthy', 'degraded', 'down']).describe('degraded: it serves, and something is wrong.'),
    problems: z.array(z.string()).describe('Why it is not healthy, a sentence each.'),
    primary: orNull(id('The member that is primary.')),
    epoch: count('Of the primary, as the Sentinels have it.'),
    quorum: count('Votes that agree that a primary is down.'),
    paused: flag('Automatic actions are suspended.'),
    promoting: orNull(id('The replica that is being made primary.')),
    noPrimaryMs: orNull(amount('For how long there has been no acting primary; null while there is one.')),
    operation: orNull(operation),
    clients: z
      .object({
        connected: count('At all gates.'),
        held: count('The most that waited for a primary at one time, in the last one to two seconds.'),
        commandsPerSecond: amount('Of the last second.'),
        errorsPerSecond: amount('Error replies of the last second.'),
        latency: z
          .object({ read: latency, write: latency })
          .describe('Of all gates; null when there were none.'),
      })
      .describe('All clients of all gates that are known of.'),
    members: z.array(memberSchema),
    sentinels: z.array(sentinelSchema),
    gates: z.array(gateSchema),
    hosts: z.array(hostSchema),
    drift: z.array(driftSchema),
    backup: orNull(backupStatusSchema),
    moves: movesSchema,
  })
  .describe('A deployment at one instant.');

export type ApiMoves = z.infer<typeof movesSchema>;
export type ApiView = z.infer<typeof viewSchema>;
export type ApiHostReport = z.infer<typeof hostReportSchema>;
export type ApiMember = z.infer<typeof memberSchema>;
export type ApiSentinel = z.infer<typeof sentinelSchema>;
export type ApiGate = z.infer<typeof gateSchema>;
export type ApiHost = z.infer<typeof hostSchema>;
export type ApiDrift = z.infer<typeof driftSchema>;
export type ApiBackupStatus = z.infer<typeof backupStatusSchema>;
