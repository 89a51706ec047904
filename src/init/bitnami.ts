/**
 * Values of the Helm chart bitnami/redis. With `sentinel.enabled` it runs `replica.replicaCount` pods, each with a server
 * and a Sentinel; without, one primary and so many replicas, and nothing fails over. The AOF is on and save points are off
 * unless `commonConfiguration` says otherwise.
 * Source: bitnami/charts, bitnami/redis/values.yaml and templates/configmap.yaml.
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
  render,
  textAt,
  type Values,
  whyNot,
} from './chart-values.ts';
import { renames } from './conf-files.ts';
import { chosen, type Engine } from './engine-defaults.ts';
import { type Found, type FoundUser, type Note, nothingFound } from './found.ts';

const usualConfiguration = 'appendonly yes\nsave ""';

export function isBitnami(values: Values): boolean {
  const texts = ['architecture', 'commonConfiguration', 'usePassword'];
  // The other chart has an `auth` too, which is true or false.
  const maps = ['auth', 'master', 'replica', 'cluster'];
  return texts.some((key) => at(values, key) !== undefined) || maps.some((key) => isMap(at(values, key)));
}

export function foundInBitnami(values: Values, engine: Engine): Found {
  const withSentinel = flagAt(values, false, 'sentinel', 'enabled');
  const isAlone = textAt(values, 'architecture') === 'standalone';
  const replicas = numberAt(values, 3, 'replica', 'replicaCount');
  const common = directivesOf(textAt(values, 'commonConfiguration') || usualConfiguration);
  const primary = directivesOf(textAt(values, withSentinel ? 'replica' : 'master', 'configuration'));
  const { settings, notes } = chosen(overlaid(common.settings, primary.settings), engine);
  const own = [...common.lines, ...primary.lines].filter(({ name }) => name === 'rename-command');
  const { forbidden, renamed } = renames(own);
  const disabled = listAt(
    values,
    ['FLUSHDB', 'FLUSHALL'],
    withSentinel ? 'replica' : 'master',
    'disableCommands',
  );
  return {
    ...nothingFound,
    name: textAt(values, 'sentinel', 'masterSet') || 'mymaster',
    members: isAlone ? 1 : withSentinel ? replicas : replicas + 1,
    sentinels: withSentinel && !isAlone ? replicas : 0,
    redisPort: numberAt(values, 6379, 'master', 'containerPorts', 'redis'),
    sentinelPort: numberAt(values, 26_379, 'sentinel', 'containerPorts', 'sentinel'),
    settings,
    ...(withSentinel
      ? {
          quorum: numberAt(values, 2, 'sentinel', 'quorum'),
          downAfterMs: numberAt(values, 60_000, 'sentinel', 'downAfterMilliseconds'),
          failoverTimeoutMs: numberAt(values, 180_000, 'sentinel', 'failoverTimeout'),
        }
      : {}),
    users: usersOf(values),
    forbidden: [...new Set([...forbidden, ...disabled])],
    notes: [...notes, ...renamed, ...notesOf(values, withSentinel, isAlone)],
  };
}

function usersOf(values: Values): FoundUser[] {
  return flagAt(values, true, 'auth', 'enabled') ? [{ name: 'default', rules: 'on ~* &* +@all' }] : [];
}

function notesOf(values: Values, withSentinel: boolean, isAlone: boolean): Note[] {
  const secret = textAt(values, 'auth', 'existingSecret');
  const key = textAt(values, 'auth', 'existingSecretPasswordKey') || 'redis-password';
  const users = ['security', 'users', 'default'];
  const notes: Note[] = [];
  if (flagAt(values, true, 'auth', 'enabled')) {
    const what = secret === '' ? 'auth.password' : `the key ${key} of the Secret ${secret}`;
    notes.push({ path: users, what, why: 'that is the password which goes into the file below' });
  }
  if (!withSentinel && !isAlone) {
    const why = 'it has replicas and nothing that promotes one; here three Sentinels do';
    notes.push({ path: ['sentinel'], what: 'sentinel.enabled: false', why });
  }
  const replicaConfiguration = textAt(values, 'replica', 'configuration');
  if (
    !withSentinel &&
    replicaConfiguration !== '' &&
    replicaConfiguration !== textAt(values, 'master', 'configuration')
  ) {
    const why = 'the spec has one value for all members, and a replica may become the primary';
    notes.push({ path: ['redis'], what: 'replica.configuration', why });
  }
  return [...notes, ...besidesRedis(values)];
}

function besidesRedis(values: Values): Note[] {
  const redis = ['redis'];
  return besides(values, [
    [
      'existingConfigmap',
      {
        path: redis,
        what: 'existingConfigmap',
        why: 'what it sets is not in the values: name the redis.conf in it to init',
      },
    ],
    [
      'master.extraFlags',
      { path: redis, what: 'master.extraFlags', why: 'say these directives under redis.config' },
    ],
    [
      'master.resources',
      {
        path: redis,
        what: 'master.resources',
        why: whyNot.resources,
      },
    ],
    [
      'master.resourcesPreset',
      {
        path: redis,
        what: 'master.resourcesPreset',
        why: `${render} has resources as values, and \`holdfast size\` says what a dataset needs`,
      },
    ],
    ['master.persistence.size', { path: redis, what: 'master.persistence', why: whyNot.volumeSize }],
    ['replica.persistence.size', { path: redis, what: 'replica.persistence', why: whyNot.volumeSize }],
    [
      'replica.autoscaling.enabled',
      { path: redis, what: 'replica.autoscaling', why: 'the spec has so many members as it says' },
    ],
    [
      'sentinel.configuration',
      {
        path: ['sentinel'],
        what: 'sentinel.configuration',
        why: whyNot.sentinelConf,
      },
    ],
    [
      'tls.enabled',
      {
        path: ['security'],
        what: 'tls',
        why: whyNot.tls,
      },
    ],
    [
      'auth.acl.enabled',
      {
        path: ['security'],
        what: 'auth.acl',
        why: 'name each user under security.users, with where the password is and its acl',
      },
    ],
    ['metrics.enabled', { path: ['agent'], what: 'metrics', why: 'each agent serves /metrics itself' }],
    [
      'networkPolicy.enabled',
      { path: redis, what: 'networkPolicy', why: `${render} has NetworkPolicies of its own` },
    ],
  ]);
}
