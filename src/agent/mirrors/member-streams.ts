/**
 * Keeps a stream for each member of this host that is to follow another one (`topology: mirror`): a process of its own, which
 * mirror/member-stream.ts describes. Whom a member follows it says itself (stream/lead-position.ts): what is done here is only to
 * have the stream that does it.
 *
 * An agent that ends leaves them running, because writes may wait for what they apply; the next one begins its own, which
 * take over.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { errorFromJson } from '../../base/error-wire.ts';
import { errorText } from '../../base/errors.ts';
import type { Repaired } from '../../mirror/keep-comparing.ts';
import type { Diverged } from '../../mirror/keep-diverged.ts';
import type { MemberLine, MemberTask } from '../../mirror/member-task.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import { endpointHere } from '../state/taken-over.ts';

const workerFile = fileURLToPath(new URL('../../mirror/member-worker.js', import.meta.url));
const tickMs = 50;
/** One that failed at once is not begun again before. */
const againMs = 1000;
/** It says something twice a second, once it has begun. */
const silentMs = 5000;
const startsWithinMs = 15_000;
const silentTicksAtMost = 10;

interface Running {
  readonly lead: string;
  /** What the spec chose when it began: when that is changed another begins. */
  readonly choices: string;
  saidMs: number;
  silentTicks: number;
  kill(): void;
  /** It is told that nobody listens any more, and nothing of it keeps this process from ending. */
  leave(): void;
}

export class MemberStreams {
  readonly #deployment: Deployment;
  readonly #running = new Map<string, Running>();
  readonly #againAtMs = new Map<string, number>();
  readonly #failed = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Those that run go on. */
  leave(): void {
    clearInterval(this.#timer);
    for (const { leave } of this.#running.values()) leave();
    this.#running.clear();
  }

  #tick(): void {
    const nowMs = this.#deployment.setting.clock.monotonicMs();
    for (const member of this.#deployment.members) {
      const { id } = member.place;
      const lead = this.#leadOf(member);
      const running = this.#running.get(id);
      if (running === undefined) {
        if (lead !== null && nowMs >= (this.#againAtMs.get(id) ?? 0)) this.#begin(member, lead);
      } else if (lead !== null && (lead !== running.lead || this.#choices !== running.choices))
        running.kill();
      else this.#lookAtSilence(running, nowMs);
    }
  }

  get #choices(): string {
    const { read, onSplit } = this.#deployment.spec.mirror ?? {};
    return `${read} ${onSplit}`;
  }

  /** What was said while this process stood still is read first. */
  #lookAtSilence(running: Running, nowMs: number): void {
    running.silentTicks = nowMs - running.saidMs > silentMs ? running.silentTicks + 1 : 0;
    if (running.silentTicks > silentTicksAtMost) running.kill();
  }

  /** Whom a member of this host is to follow, by its own word. */
  #leadOf({ unit, watch }: LiveMember): string | null {
    const { reachable, busy, role, follows, fenced } = watch.seen;
    if (!unit?.process.running || !reachable || busy !== null || role !== 'replica' || fenced) return null;
    return this.#deployment.memberAt(follows)?.place.id ?? null;
  }

  #begin({ place, unit, watch }: LiveMember, lead: string): void {
    if (unit === null) return;
    const { id } = place;
    const { spec, setting } = this.#deployment;
    const { clock, paths } = setting;
    const endpoint = endpointHere(unit.paths, place);
    const { secret: secretFile, diverged: divergedFolder } = paths;
    const task: MemberTask = { member: id, lead, endpoint, spec, secretFile, divergedFolder };
    const beganMs = clock.monotonicMs();
    const child = spawn(process.execPath, [workerFile], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    child.stdin.on('error', () => {});
    // It neither ends with this process nor keeps it from ending.
    child.unref();
    const running: Running = {
      lead,
      choices: this.#choices,
      saidMs: beganMs + startsWithinMs,
      silentTicks: 0,
      kill: () => void child.kill('SIGKILL'),
      leave: () => {
        child.stdin.destroy();
        child.stdout.destroy();
      },
    };
    let error: unknown;
    let copies = 0;
    let phase = '';
    createInterface({ input: child.stdout }).on('line', (text) => {
      running.saidMs = clock.monotonicMs();
      const line = JSON.parse(text) as MemberLine;
      if ('error' in line) error = errorFromJson(line.error);
      else if ('repaired' in line) this.#noteRepair(id, lead, line.repaired);
      else if ('diverged' in line) this.#noteDiverged(id, lead, line.diverged);
      else {
        if (line.copies > copies)
          this.#say(
            'mirror-copying',
            id,
            `${id} gets a full copy from ${lead}: it is emptied first, and what it alone had is gone`,
          );
        copies = line.copies;
        if (line.phase !== phase && line.phase === 'following') {
          this.#failed.delete(id);
          this.#say('mirror-following', id, `${id} follows ${lead}`);
        }
        if (line.phase !== phase) void watch.look().then(() => this.#deployment.wake());
        phase = line.phase;
      }
    });
    const ended = (how: string) => {
      if (this.#running.get(id) !== running) return;
      this.#running.delete(id);
      this.#againAtMs.set(id, beganMs + againMs);
      // It ends when it is to lead, too.
      void watch.look().then(() => {
        if (this.#leadOf(this.#deployment.member(id)) === lead)
          this.#noteFailure(id, error === undefined ? how : errorText(error));
      });
    };
    child.once('error', (failure) => ended(failure.message));
    child.once('close', (code, by) =>
      ended(by ? `its process was killed by ${by}` : `its process ended with ${code}`),
    );
    child.stdin.write(`${JSON.stringify(task)}\n`);
    this.#running.set(id, running);
  }

  #noteDiverged(id: string, lead: string, { file, keys, first }: Diverged): void {
    const what = `${id} had ${keys === 1 ? first : `${keys} keys, ${first} among them,`} that ${lead} has otherwise, or not`;
    this.#say(
      'mirror-diverged',
      id,
      `${what}: what ${lead} has stays, and all that ${id} had is kept in ${file}`,
    );
  }

  #noteRepair(id: string, lead: string, { keys, first, left }: Repaired): void {
    const what = `${keys === 1 ? first : `${keys} keys, ${first} among them,`} differed between ${id} and ${lead}`;
    const outcome = left === null ? `what ${lead} has was written again` : `not all was repaired: ${left}`;
    this.#say('mirror-repaired', id, `${what}: ${outcome}`);
  }

  /** The same failure is told once. */
  #noteFailure(id: string, text: string): void {
    if (this.#failed.get(id) === text) return;
    this.#failed.set(id, text);
    this.#say('mirror-failed', id, `the stream of ${id} ended: ${text}`);
  }

  #say(kind: Parameters<Deployment['events']['add']>[0], id: string, text: string): void {
    this.#deployment.events.add(kind, id, text);
  }
}
