/**
 * Tells of commands that keep a server from answering. While one runs, only the kernel can say that the server computes;
 * when it is over, the server's slow log names the command.
 */
import { errorText } from '../../base/errors.ts';
import { shown } from '../../base/shown.ts';
import { type SlowEntry, slowEntries } from '../../redis/slow-log.ts';
import { isComputing } from '../../topology/hang.ts';
import type { Deployment, LiveMember } from '../deployment.ts';

const tellAfterMs = 1000;
const entriesAsked = 16;
/** Of the time in which it did not answer: what took less is not what kept it. */
const leastShare = 0.3;

interface Told {
  pid: number | null;
  sinceMs: number;
  /** That it says BUSY was told too. */
  busy: boolean;
}

/** What is looked at. */
type Observed = Pick<Deployment, 'members' | 'spec' | 'setting'> & {
  readonly events: Pick<Deployment['events'], 'add'>;
};

export class SlowCommands {
  readonly #deployment: Observed;
  /** Of which members it was told: the process, and since when it had not answered, wall clock. */
  readonly #told = new Map<string, Told>();

  constructor(deployment: Observed) {
    this.#deployment = deployment;
  }

  look(): void {
    for (const member of this.#deployment.members) {
      const { id } = member.place;
      const told = this.#told.get(id);
      if (told === undefined) this.#begin(member);
      else if (member.unit?.process.pid !== told.pid) this.#told.delete(id);
      else if (member.watch.unansweredMs === 0) this.#answers(member, told);
    }
  }

  /** One that has said nothing yet since it was started, or that it loads, reads its data: no command keeps it. */
  #begin({ place: { id }, unit, watch }: LiveMember): void {
    const { unansweredMs, seen } = watch;
    if (seen.role === null || seen.busy?.code === 'loading') return;
    if (!unit?.process.running || unansweredMs < tellAfterMs || !isComputing(unit.view)) return;
    const { events, spec, setting } = this.#deployment;
    this.#told.set(id, {
      pid: unit.process.pid,
      sinceMs: setting.clock.wallMs() - unansweredMs,
      busy: false,
    });
    const text = `${id} computes and has not answered for ${tellAfterMs} ms: a slow command keeps it busy. It counts as hung after ${spec.agent.hangAfterMs} ms`;
    events.add('slow-command', id, text);
  }

  #answers(member: LiveMember, told: Told): void {
    const { id } = member.place;
    const { events } = this.#deployment;
    const busy = member.watch.seen.busy?.code;
    if (busy === 'script') {
      // It answers nothing else: the command is a script that still runs.
      if (!told.busy) events.add('slow-command', id, `${id} says that it is busy with a script (BUSY)`);
      told.busy = true;
      return;
    }
    this.#told.delete(id);
    if (busy === 'loading') events.add('slow-command', id, `${id} answers again: it loads data (LOADING)`);
    else void this.#name(member, told.sinceMs);
  }

  async #name({ place: { id }, watch }: LiveMember, sinceMs: number): Promise<void> {
    const { events, setting } = this.#deployment;
    const silentMs = setting.clock.wallMs() - sinceMs;
    try {
      const reply = await watch.client.connection.call('SLOWLOG', 'GET', entriesAsked);
      // The log has whole seconds of when a command began.
      const during = slowEntries(reply).filter(
        ({ atMs, tookMs }) => atMs + tookMs >= sinceMs - 1000 && tookMs >= silentMs * leastShare,
      );
      const [slowest] = during.toSorted((a, b) => b.tookMs - a.tookMs);
      events.add('slow-command', id, `${id} answers again: ${describe(slowest)}`);
    } catch (error) {
      events.add('slow-command', id, `${id} answers again; its slow log can't be read: ${errorText(error)}`);
    }
  }
}

function describe(entry: SlowEntry | undefined): string {
  if (entry === undefined) return 'its slow log does not say what kept it busy';
  const { command, tookMs, client, clientName } = entry;
  const who = `${client}${clientName === '' ? '' : ` (${clientName})`}`;
  return `${shown(command)} took ${Math.round(tookMs)} ms, asked for by ${shown(who)}`;
}
