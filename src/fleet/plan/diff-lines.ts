/** Lines that differ, `- ` and `+ ` before them, without those that both have. The longest common ones are kept. */
export function diffLines(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const start = old.findIndex((line, index) => line !== now[index]);
  if (start === -1 && old.length === now.length) return [];
  // kept[i][j]: how many lines old.slice(i) and now.slice(j) have in common, in order.
  const kept = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      (kept[i] as Uint16Array)[j] =
        old[i] === now[j]
          ? (kept[i + 1]?.[j + 1] ?? 0) + 1
          : Math.max(kept[i + 1]?.[j] ?? 0, kept[i]?.[j + 1] ?? 0);
  const found: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) [i, j] = [i + 1, j + 1];
    else if (j >= now.length || (i < old.length && (kept[i + 1]?.[j] ?? 0) >= (kept[i]?.[j + 1] ?? 0)))
      found.push(`- ${old[i++]}`);
    else found.push(`+ ${now[j++]}`);
  }
  return found;
}
