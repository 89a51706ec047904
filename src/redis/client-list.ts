/** CLIENT LIST: a line for each connection, `field=value` apart by spaces. Redis lets no space into a value. */
export interface ListedClient {
  id: string;
  address: string;
  name: string;
  user: string;
  kind: 'normal' | 'replica' | 'pubsub' | 'primary';
  db: number;
  ageMs: number;
  idleMs: number;
  command: string;
  memoryBytes: number | null;
}

export function parseClientList(text: string): ListedClient[] {
  return text.split('\n').flatMap((line) => {
    const fields = new Map(
      line
        .trim()
        .split(' ')
        .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const),
    );
    const id = fields.get('id');
    if (id === undefined) return [];
    const number = (name: string) => Math.max(0, Number(fields.get(name) ?? 0) || 0);
    const memory = fields.get('tot-mem');
    return [
      {
        id,
        address: fields.get('addr') ?? '',
        name: fields.get('name') ?? '',
        user: fields.get('user') ?? '',
        kind: kindOf(fields.get('flags') ?? '', number('sub') + number('psub')),
        db: number('db'),
        ageMs: number('age') * 1000,
        idleMs: number('idle') * 1000,
        command: fields.get('cmd') ?? '',
        memoryBytes: memory === undefined ? null : number('tot-mem'),
      },
    ];
  });
}

/** Source: CLIENT LIST in Redis's documentation. */
function kindOf(flags: string, subscriptions: number): ListedClient['kind'] {
  if (flags.includes('M')) return 'primary';
  if (flags.includes('S')) return 'replica';
  return flags.includes('P') || subscriptions > 0 ? 'pubsub' : 'normal';
}

/** The ids of those connections that wait for something, in the answer to CLIENT LIST. */
export function blockedIn(list: string): Set<number> {
  const ids = new Set<number>();
  for (const line of list.split('\n')) {
    const id = /^id=(\d+) /.exec(line)?.[1];
    if (id !== undefined && / flags=[A-Za-z]*b/.test(line)) ids.add(Number(id));
  }
  return ids;
}
