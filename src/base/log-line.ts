/** A line of a log taken apart: when it was written, in ms since 1970, and what it says. Pure. */
export interface LogLine {
  atMs: number;
  text: string;
}

/** `1234:M 21 Nov 2026 11:40:21.123 * text`, in local time: redis-server and redis-sentinel, Redis and Valkey. */
const serverLine = /^\d+:\w (\d+ \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3}) \S (.*)$/;
/** An ISO time and a sentence: the gate and the agent. */
const ownLine = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (.*)$/;

/** Undefined for a line that has no time of its own: it goes on with the one before. */
export function parseLogLine(line: string): LogLine | undefined {
  const [, time, text] = serverLine.exec(line) ?? ownLine.exec(line) ?? [];
  const atMs = time === undefined ? Number.NaN : Date.parse(time);
  return text === undefined || Number.isNaN(atMs) ? undefined : { atMs, text };
}
