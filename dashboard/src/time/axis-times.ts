/** What stands along an axis of time, in the viewer's zone: as exact as the marks are close. */
const seconds = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minutes = format({ hour: '2-digit', minute: '2-digit' });
const days = format({ month: 'short', day: 'numeric' });

export function axisTimes(splits: readonly number[]): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  const write = step >= 12 * 3_600_000 ? days : step >= 60_000 ? minutes : seconds;
  return splits.map((at) => write.format(at));
}

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(undefined, { hour12: false, ...options });
}
