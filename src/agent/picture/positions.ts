/**
 * How far events were read: of each host, the number of the last one. As text it is `a:120,b:87`, and where there is but
 * the agent's own host, its number alone. Pure.
 */
export type Position = ReadonlyMap<string, number>;

/** @param text as positionSchema has it. @param own the host whose number stands alone. */
export function parsePosition(text: string, own: string): Position {
  if (/^\d+$/.test(text)) return new Map([[own, Number(text)]]);
  return new Map(
    text.split(',').map((each) => {
      const [host = '', seq = ''] = each.split(':');
      return [host, Number(seq)];
    }),
  );
}

export function positionText(position: Position, own: string): string {
  const alone = position.get(own);
  if (position.size === 1 && alone !== undefined) return String(alone);
  return [...position].map(([host, seq]) => `${host}:${seq}`).join(',');
}
