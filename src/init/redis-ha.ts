/**
 * Values of the Helm chart dandydev/redis-ha: `replicas` pods, each with a server and a Sentinel, and HAProxy before them if
 * `haproxy.enabled`. Names are looked up in the chart's own values where these leave them out.
 * Source: DandyDeveloper/charts, charts/redis-ha/values.yaml and templates/_configs.tpl.
 */
import {
  at,
  besides,
  directivesOf,
  flagAt,
  isMap,
  listAt,
  numberAt,
  overlaid,
  textAt,
  type Values,
  whyNot,
} from './chart-values.ts';
import { renames } from './conf-files.ts';
import { chosen, type Engine } from './engine-defaults.ts';
import { type Found, type FoundSetting, type Note, nothingFound } from './found.ts';

/** redis.config of the chart's own values, and what its template writes besides. */
const usual: readonly (readonly [name: string, value: string])[] = [
  ['min-replicas-to-write', '1'],
  ['min-replicas-max-lag', '5'],
  ['maxmemory', '0'],
  ['maxmemory-policy', 'volatile-lru'],
  ['save', '900 1'],
  ['repl-diskless-sync', 'yes'],
  ['rdbcompression', 'yes'],
  ['rdbchecksum', 'yes'],
];

export function isRedisHa(values: Values): boolean {
  const own = [
    'replicas',
    'haproxy',
    'hardAntiAffinity',
    'exporter',
    'redisPassword',
    'persistentVolume',
    'authKey',
  ];
  return (
    own.some((key) => at(values, key) !== undefined) || at(values, 'redis', 'masterGroupName') !== undefined
  );
}

export function foundInRedisHa(values: Values, engine: Engine): Found {
  const given = at(values, 'redis', 'config');
  const config = isMap(given) ? Object.keys(given).map((name) => ({ name, value: textAt(given, name) })) : [];
  const custom = directivesOf(textAt(values, 'redis', 'customConfig'));
  const written: FoundSetting[] =
    custom.lines.length > 0
      ? custom.settings
      : overlaid(
          usual.map(([name, value]) => ({ name, value })),
          directivesOf(config.map(({ name, value }) => `${name} ${value || '""'}`).join('\n')).settings,
        );
  const { settings, notes } = chosen(written, engine);
  const { forbidden, renamed } = renames(custom.lines.filter(({ name }) => name === 'rename-command'));
  const disabled = listAt(values, ['FLUSHDB', 'FLUSHALL'], 'redis', 'disableCommands');
  const replicas = numberAt(values, 3, 'replicas');
  return {
    ...nothingFound,
    name: textAt(values, 'redis', 'masterGroupName') || 'mymaster',
    members: replicas,
    sentinels: replicas,
    redisPort: numberAt(values, 6379, 'redis', 'port') || null,
    sentinelPort: numberAt(values, 26_379, 'sentinel', 'port') || null,
    settings,
    quorum: numberAt(values, 2, 'sentinel', 'quorum'),
    downAfterMs: numberAt(values, 10_000, 'sentinel', 'config', 'down-after-milliseconds'),
    failoverTimeoutMs: numberAt(values, 180_000, 'sentinel', 'config', 'failover-timeout'),
    users: flagAt(values, false, 'auth') ? [{ name: 'default', rules: 'on ~* &* +@all' }] : [],
    forbidden: [...new Set([...forbidden, ...disabled])],
    notes: [...notes, ...renamed, ...notesOf(values)],
  };
}

function notesOf(values: Values): Note[] {
  const notes: Note[] = [];
  if (flagAt(values, false, 'auth')) {
    const secret = textAt(values, 'existingSecret');
    const key = textAt(values, 'authKey') || 'auth';
    const what = secret === '' ? 'redisPassword' : `the key ${key} of the Secret ${secret}`;
    const why = 'that is the password which goes into the file below';
    notes.push({ path: ['security', 'users', 'default'], what, why });
  }
  if (flagAt(values, false, 'haproxy', 'enabled')) {
    const port = numberAt(values, 6379, 'haproxy', 'servicePort');
    const why =
      'clients find the gate at its own Service, on gate.port; it needs no check of roles, since it knows the primary';
    notes.push({ path: ['sentinel'], what: `haproxy.servicePort ${port}`, why });
  }
  const redis = ['redis'];
  return [
    ...notes,
    ...besides(values, [
      [
        'ro_replicas',
        {
          path: redis,
          what: 'ro_replicas',
          why: 'every member may become the primary: the agent sets replica-priority',
        },
      ],
      [
        'redis.tlsPort',
        {
          path: ['security'],
          what: 'redis.tlsPort',
          why: whyNot.tls,
        },
      ],
      [
        'redis.resources',
        {
          path: redis,
          what: 'redis.resources',
          why: whyNot.resources,
        },
      ],
      ['persistentVolume.size', { path: redis, what: 'persistentVolume', why: whyNot.volumeSize }],
      [
        'sentinel.auth',
        {
          path: ['sentinel'],
          what: 'the password of the Sentinels',
          why: 'holdfast makes one, from security.secret',
        },
      ],
      [
        'sentinel.customConfig',
        {
          path: ['sentinel'],
          what: 'sentinel.customConfig',
          why: whyNot.sentinelConf,
        },
      ],
      ['exporter.enabled', { path: redis, what: 'exporter', why: 'each agent serves /metrics itself' }],
      [
        'restore.s3.source',
        { path: redis, what: 'restore', why: '`holdfast restore` takes a backup or a file' },
      ],
    ]),
  ];
}
