/** What stands along an axis of time, in the viewer's zone: as exact as the marks are close. */
const seconds = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minutes = format({ hour: '2-digit', minute: '2-digit' });
const days = format({ month: 'short', day: 'numeric' });

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** What an axis of time steps by, in ms: some that divide minutes and hours evenly, close enough that a narrow chart has a few. */
export const timeSteps: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 20, 30].map((each) => each * second),
  ...[1, 2, 5, 10, 20, 30].map((each) => each * minute),
  ...[1, 2, 4, 6, 12].map((each) => each * hour),
  ...[1, 2, 3, 7].map((each) => each * 24 * hour),
];

export function axisTimes(splits: readonly number[]): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  // A day has 23 hours once a year.
  const write = step >= 23 * hour ? days : step >= minute ? minutes : seconds;
  return splits.map((at) => write.format(at));
}

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(undefined, { hour12: false, ...options });
}
