/** Commands that no sample covers, with the reason. */
export const leftOut: Record<string, string> = {
  'restore-asking': 'only between the nodes of a cluster',
  subscribe: 'answers more than once: see gate-pubsub.test.ts',
  psubscribe: 'answers more than once: see gate-pubsub.test.ts',
  ssubscribe: 'answers more than once: see gate-pubsub.test.ts',
  debug: 'refused by the gate unless allowed',
  time: 'differs by its nature',
  info: 'differs by its nature',
  'memory|stats': 'figures of one server',
  'client|id': 'differs by its nature: see gate-protocol.test.ts',
  'client|info': 'differs by its nature: see gate-protocol.test.ts',
  'client|list': 'differs by its nature: see gate-protocol.test.ts',
  quit: 'closes the connection: see gate-protocol.test.ts',
};

/** The gate answers these in its own way; docs/gate.md says how. */
export const differs: Record<string, string> = {
  'SYNC x': 'a gate is no source of replication',
  'PSYNC x': 'a gate is no source of replication',
  'REPLCONF ACK 1': 'a gate is no source of replication; a server answers nothing',
  'SCRIPT DEBUG YES': 'the debugger would take the connection over, which others share',
};
