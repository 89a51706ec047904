import type { Problem } from '../problems.ts';
import type { SpecFile } from '../schema.ts';
import { settingName } from '../setting-name.ts';
import type { Spec } from '../spec.ts';

/**
 * redis.config passes directives through, except those that holdfast sets itself: two writers of one setting end in
 * a server that does not do what either says. The answer names the key to use instead.
 */
const managed = new Map<string, string>(
  Object.entries({
    port: 'redis.port sets it',
    'tls-port': 'redis.port and security.tls set it',
    bind: 'hosts.<name>.address and hosts.<name>.bind set it',
    'bind-source-addr': 'hosts.<name>.bind sets it',
    dir: 'it is in the state directory; --state-dir moves that',
    dbfilename: 'backups and restores need to know it',
    appendfilename: 'backups and restores need to know it',
    appenddirname: 'backups and restores need to know it',
    logfile: 'it is in the state directory; --state-dir moves that',
    'syslog-enabled': 'logs go to the state directory',
    pidfile: 'the agent looks after the process',
    daemonize: 'the agent looks after the process',
    supervised: 'the agent looks after the process',
    unixsocket: 'the agent reaches its servers through a socket of its own',
    unixsocketperm: 'the agent reaches its servers through a socket of its own',
    include: 'name the directives themselves: an included file could undo what the spec says',
    'protected-mode': 'it stays on; security.users and hosts.<name>.bind say who gets in',
    aclfile: 'security.users makes it',
    'acl-pubsub-default': "give each user's channels in security.users",
    replicaof: 'the Sentinels decide who replicates whom; the first in redis.on starts as primary',
    slaveof: 'the Sentinels decide who replicates whom; the first in redis.on starts as primary',
    'replica-priority': 'the agent sets it: 0 until a replica is in sync',
    'slave-priority': 'the agent sets it: 0 until a replica is in sync',
    'replica-announced': 'Sentinels must see every replica',
    'replica-read-only': 'what is written to a replica is lost',
    'slave-read-only': 'what is written to a replica is lost',
    'replica-announce-ip': 'hosts.<name>.address sets it',
    'replica-announce-port': 'redis.port sets it',
    'slave-announce-ip': 'hosts.<name>.address sets it',
    'slave-announce-port': 'redis.port sets it',
    maxmemory: 'redis.maxMemory sets it',
    'maxmemory-policy': 'redis.maxMemoryPolicy sets it',
    appendonly: 'redis.persistence sets it',
    appendfsync: 'redis.persistence sets it',
    save: 'redis.save sets it',
    'min-replicas-to-write': 'redis.minReplicasToWrite sets it',
    'min-slaves-to-write': 'redis.minReplicasToWrite sets it',
    'min-replicas-max-lag': 'redis.minReplicasMaxLag sets it',
    'min-slaves-max-lag': 'redis.minReplicasMaxLag sets it',
    'rename-command':
      'Sentinels and agents need the commands by their names; restrict users with `acl` instead',
    'enable-debug-command': 'it stays off: a client could crash or stop the server',
    'enable-protected-configs': 'it stays off: a client could write files anywhere',
    'enable-module-command': 'it stays off: a client could load code; use loadmodule here instead',
    'cluster-enabled': 'holdfast runs one primary with replicas, not Redis Cluster',
  }),
);

/** Why a directive can't be in redis.config; undefined when it can. */
export function managedBecause(name: string): string | undefined {
  return managed.get(name);
}

export function directiveRules(_spec: Spec, file: SpecFile): Problem[] {
  const config = file.redis?.config ?? {};
  const seen = new Map<string, string>();
  return Object.entries(config).flatMap(([name, value]): Problem[] => {
    const path = ['redis', 'config', name];
    const plain = name.toLowerCase();
    const today = settingName(name);
    const reason =
      managed.get(plain) ??
      managed.get(today) ??
      (plain.startsWith('tls-') ? 'security.tls sets it' : undefined);
    if (reason !== undefined)
      return [{ path, message: `holdfast sets this directive itself: ${reason}`, about: 'key' }];
    const other = seen.get(today);
    if (other !== undefined) {
      const message =
        other.toLowerCase() === plain
          ? 'this directive is written twice; make it one list'
          : `this directive is written twice: ${other} is another name of it`;
      return [{ path, message, about: 'key' }];
    }
    seen.set(today, name);
    const values = Array.isArray(value) ? value : [value];
    // Another line would be another directive.
    if (values.some((each) => /[\r\n\0]/.test(String(each)))) {
      return [{ path, message: 'found more than one line; a directive is one line, several are a list' }];
    }
    return [];
  });
}
