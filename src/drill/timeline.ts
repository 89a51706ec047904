/** What the processes of a testbed wrote about a failover, put together in the order of time. Pure. */
import { parseLogLine } from '../base/log-line.ts';
import type { TestbedLog } from '../testbed/testbed.ts';

export interface TimelineEntry {
  /** Wall clock, ms since 1970. */
  atMs: number;
  /** Who says it: the id of a member, Sentinel or gate, or a host's agent. */
  source: string;
  /** A word for machines: `promoted`, `+sdown`, `holding`, an agent's kind of event… */
  kind: string;
  text: string;
}

/** The Sentinels' words that belong to a failover, about the primary; the rest of their logs is noise here. */
const sentinelWords = new Set([
  '+sdown',
  '+odown',
  '+try-failover',
  '+elected-leader',
  '+selected-slave',
  '+promoted-slave',
  '+switch-master',
  '+failover-end',
  '+tilt',
]);

export function parseLog(
  { process: name, kind }: Pick<TestbedLog, 'process' | 'kind'>,
  text: string,
): TimelineEntry[] {
  const parse = {
    member: parseMember,
    sentinel: parseSentinel,
    gate: parseGate,
    events: parseEvent,
    words: parseWord,
    elections: parseElection,
  }[kind];
  return text.split('\n').flatMap((line) => {
    const found = parse(line);
    return found
      ? [{ source: kind === 'events' || kind === 'elections' ? `agent on ${name}` : name, ...found }]
      : [];
  });
}

type Found = (Omit<TimelineEntry, 'source'> & { source?: string }) | undefined;

/** A server says this when it stops to be a replica, and only then: each is one promotion. */
function parseMember(line: string): Found {
  const said = parseLogLine(line);
  if (!said || !/^(MASTER|PRIMARY) MODE enabled/.test(said.text)) return undefined;
  return { atMs: said.atMs, kind: 'promoted', text: 'is primary from now on' };
}

function parseSentinel(line: string): Found {
  const said = parseLogLine(line);
  const [word = '', about = ''] = said?.text.split(' ') ?? [];
  if (!said || !(sentinelWords.has(word) || word.startsWith('-failover-abort'))) return undefined;
  if ((word === '+sdown' || word === '+odown') && about !== 'master') return undefined;
  return { atMs: said.atMs, kind: word, text: said.text };
}

/** holdfast's gate: an ISO time, its id, a sentence. */
function parseGate(line: string): Found {
  const said = parseLogLine(line);
  const [, text] = /^\S+ (.*)$/.exec(said?.text ?? '') ?? [];
  if (said === undefined || text === undefined) return undefined;
  const kind = /^holding/.test(text) ? 'holding' : /^open after/.test(text) ? 'open' : undefined;
  const says = / is primary, says /.test(text) ? 'switched' : undefined;
  const word = kind ?? says;
  return word === undefined ? undefined : { atMs: said.atMs, kind: word, text };
}

function parseEvent(line: string): Found {
  try {
    const { at, kind, text } = JSON.parse(line) as { at: string; kind: string; text: string };
    return { atMs: Date.parse(at), kind, text };
  } catch {
    return undefined;
  }
}

/** Whom the Sentinels name counts as promoted, where its own log can't be read. */
function parseWord(line: string): Found {
  const event = parseEvent(line);
  if (event?.kind !== 'primary') return event;
  const { subject } = JSON.parse(line) as { subject: string };
  return { ...event, kind: 'promoted', source: subject };
}

/** A standalone server was never a replica, so its log tells nothing: the agent that was elected does. */
function parseElection(line: string): Found {
  const event = parseEvent(line);
  if (event?.kind !== 'promoted') return event;
  const { subject } = JSON.parse(line) as { subject: string };
  return { ...event, source: subject };
}
