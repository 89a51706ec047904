/** Figures as people read them. Each keeps its width while it changes, as far as it can: numbers that jump can't be read. */

const none = '–';

/** `1,234`, `12.3k`, `4.56M`. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return none;
  const size = Math.abs(value);
  if (size < 10_000) return Math.round(value).toLocaleString('en');
  if (size < 1e6) return `${(value / 1e3).toFixed(1)}k`;
  if (size < 1e9) return `${(value / 1e6).toFixed(2)}M`;
  return `${(value / 1e9).toFixed(2)}G`;
}

/** Binary, as redis.conf counts: `1.5 GiB`. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return none;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let rest = value;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(rest) : rest.toFixed(1)} ${units[unit]}`;
}

/** @param ms `0.42 ms`, `23 ms`, `4.2 s`, `3 min`, `2 h 5 min`, `4 d`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return none;
  if (ms < 10) return `${ms.toFixed(ms === Math.round(ms) ? 0 : 2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}

/** `just now`, `12 s ago`, `3 min ago`. */
export function ago(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return none;
  if (ms < 1000) return 'just now';
  return `${ms < 60_000 ? `${Math.floor(ms / 1000)} s` : duration(ms)} ago`;
}

/** The instant in UTC, to the millisecond: what a log of another machine is compared with. */
export function utc(atMs: number): string {
  return new Date(atMs).toISOString().replace('T', ' ').replace('Z', ' UTC');
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

/** In the viewer's zone: the time, with the day before it when that is not today. */
export function localTime(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const today = at.toDateString() === new Date(nowMs).toDateString();
  return today ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
}

/** The same to the millisecond. */
export function localTimeMs(atMs: number, nowMs: number): string {
  const ms = String(Math.floor(atMs) % 1000).padStart(3, '0');
  return `${localTime(atMs, nowMs)}.${ms}`;
}

/** `1 client`, `2 clients`. */
export function plural(number: number, word: string): string {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`;
}
