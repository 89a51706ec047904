export interface SlowEntry {
  /** When it began, wall clock, to the second. */
  atMs: number;
  tookMs: number;
  /** The command's name and, of one with subcommands, the next word. Arguments may be secret. */
  command: string;
  client: string;
  clientName: string;
}

const withSubcommands = new Set(
  'acl client cluster command config debug function latency memory module object pubsub script slowlog xgroup xinfo'.split(
    ' ',
  ),
);

/** Of SLOWLOG GET: id, seconds, microseconds, arguments, and since 4.0 the client's address and name. */
export function slowEntries(reply: unknown): SlowEntry[] {
  return (Array.isArray(reply) ? reply : []).flatMap((entry) => {
    if (!Array.isArray(entry) || !Array.isArray(entry[3]) || entry[3].length === 0) return [];
    const [, seconds, micros, words, client, clientName] = entry as [
      unknown,
      unknown,
      unknown,
      unknown[],
      unknown,
      unknown,
    ];
    const name = String(words[0]);
    const shownWords = withSubcommands.has(name.toLowerCase()) ? words.slice(0, 2) : [name];
    return [
      {
        atMs: Number(seconds) * 1000,
        tookMs: Number(micros) / 1000,
        command: shownWords.map(String).join(' ').toUpperCase(),
        client: String(client ?? ''),
        clientName: String(clientName ?? ''),
      },
    ];
  });
}
