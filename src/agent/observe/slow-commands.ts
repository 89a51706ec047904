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

interface Told {
  pid: number | null;
  sinceMs: number;
  /** That it says BUSY was told too. */
  busy: boolean;
}

export class SlowCommands {
  readonly #deployment: Deployment;
  /** Of which members it was told: the process, and since when it had not answered, wall clock. */
  readonly #told = new Map<string, Told>();

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  look(): void {
    for (const member of this.#deployment.members) {
      const { id } = member.place;
      const told = this.#told.get(id);
      if (told === undefined) this.#begin(member);
      else if (member.unit?.process.pid !== told.pid) this.#told.delete(id);
      else if (member.watch.unansweredMs === 0 && member.watch.seen.busy) this.#tellBusy(member, told);
      else if (member.watch.unansweredMs === 0) {
        this.#told.delete(id);
        void this.#name(member, told.sinceMs);
      }
    }
  }

  #begin({ place: { id }, unit, watch }: LiveMember): void {
    const { unansweredMs } = watch;
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

  /** It answers nothing else: the command is a script that still runs. */
  #tellBusy({ place: { id } }: LiveMember, told: Told): void {
    if (told.busy) return;
    told.busy = true;
    this.#deployment.events.add('slow-command', id, `${id} says that it is busy with a script (BUSY)`);
  }

  async #name({ place: { id }, watch }: LiveMember, sinceMs: number): Promise<void> {
    const { events } = this.#deployment;
    try {
      const reply = await watch.client.connection.call('SLOWLOG', 'GET', entriesAsked);
      // The log has whole seconds of when a command began.
      const during = slowEntries(reply).filter(({ atMs, tookMs }) => atMs + tookMs >= sinceMs - 1000);
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
