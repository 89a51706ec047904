/** A first spec: what most people change, with what each means. All else is in docs/spec.md. */
export function plainSpec(name: string): string {
  return `# What runs, for \`holdfast up\`. Every key but \`name\` has a default; docs/spec.md has all of them.
# yaml-language-server: $schema=schema/holdfast.schema.json
name: ${name}

# The machines. Without \`hosts\` everything runs on this one.
# hosts:
#   a: { address: 10.0.1.55 }
#   b: { address: 10.0.1.156 }
#   c: { address: 10.0.1.201 }

redis:
  # How many redis-servers; with \`hosts\` say which: on: [a, b, c].
  members: 3
  # The first one's port; further ones of the same machine count up from it.
  port: 6379
  # How much data each may hold, and what happens when it is full: noeviction refuses writes, allkeys-lru forgets.
  # maxMemory: 4gb
  maxMemoryPolicy: noeviction
  # none, rdb, aof-everysec (a crash of the machine costs a second at most) or aof-always.
  persistence: aof-everysec
  # Any other directive of redis.conf.
  # config: { notify-keyspace-events: Ex }

sentinel:
  # At least three, and an odd number; with \`hosts\` say which: on: [a, b, c].
  count: 3
  port: 26379
  # Silence after which a host is taken for lost. A crash is seen at once.
  detectAfter: 3s

gate:
  # Clients connect to \`port\` for the primary, and to the port after it for reads from replicas.
  # port: 6380
  # How long a command waits while there is no primary.
  hold: 10s

# Users for applications. Passwords are in files or in the environment, never here.
# security:
#   users:
#     app: { password: { file: app.password }, acl: "~* &* +@all -@dangerous +info" }

# backup:
#   to: s3://bucket/prefix
#   schedule: "0 2 * * *"
#   keep: { daily: 7 }
`;
}
