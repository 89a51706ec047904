/**
 * Drift: what somebody changed in a running member, by CONFIG SET or ACL SETUSER, that the spec does not say. Such a change
 * is of this member only, and gone when another becomes primary; so it is looked for, said once, and shown. What can do harm
 * is looked for every two seconds (settings-pulse.ts), the rest more seldom.
 */
import { errorCode, errorText } from '../../base/errors.ts';
import { shown } from '../../base/shown.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import { readChangeMark } from '../persistence/change-mark.ts';
import { runsAsTaken } from '../state/taken-over.ts';
import { fixedSettings } from './apply-settings.ts';
import {
  differentLogin,
  differentSettings,
  differentUsers,
  differentWhileTaken,
  type ServerSettings,
} from './compare-settings.ts';
import type { Drift } from './drift-harm.ts';
import { ExpectedSettings, readSettings } from './expected-settings.ts';
import { type Pulse, readPulse } from './settings-pulse.ts';
import { shownValue } from './shown-value.ts';
import { differenceOfUser } from './user-rules.ts';

const firstLookMs = 5000;
const everyMs = 15_000;
const pulseEveryMs = 2000;

/** What is looked at. */
export interface Drifting {
  readonly members: readonly LiveMember[];
  readonly operations: Pick<Deployment['operations'], 'current'>;
  readonly events: Pick<Deployment['events'], 'add'>;
  readonly spec: Pick<Deployment['spec'], 'name' | 'mirror'>;
  readonly setting: Deployment['setting'];
}

interface Comparison {
  running: string;
  wanted: ServerSettings;
  found: Drift[];
}

export class DriftWatch {
  readonly #deployment: Drifting;
  readonly #expected: Pick<ExpectedSettings, 'of'>;
  readonly #seen = new Map<string, Drift[]>();
  /** By member, as when everything was asked last. */
  readonly #pulses = new Map<string, string>();
  /** By member: what was compared last, and what came of it. Mostly it is the same again. */
  readonly #compared = new Map<string, Comparison>();
  #lookedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<unknown> = Promise.resolve();
  #failure = '';

  constructor(deployment: Drifting, expected: Pick<ExpectedSettings, 'of'> = new ExpectedSettings()) {
    this.#deployment = deployment;
    this.#expected = expected;
  }

  /** Of this host's members, as it was last looked for. */
  get drift(): readonly Drift[] {
    return this.#deployment.members.flatMap(({ place }) => this.#seen.get(place.id) ?? []);
  }

  start(): void {
    this.#next(firstLookMs);
  }

  /** Waits for the look that is under way: it has started a server, which must not outlive us. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#looking;
  }

  /** Something was done about it. */
  lookSoon(): void {
    this.#lookedMs = Number.NEGATIVE_INFINITY;
    if (this.#timer !== undefined) this.#next(0);
  }

  #next(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      const isDue = performance.now() - this.#lookedMs >= everyMs;
      this.#looking = Promise.all([this.#looking, isDue ? this.look() : this.lookForHarm()]);
      await this.#looking;
      if (this.#timer !== undefined) this.#next(pulseEveryMs);
    }, afterMs);
  }

  /** Looks now. Nothing is looked for while something planned changes what members run with. */
  async look(): Promise<void> {
    this.#lookedMs = performance.now();
    await this.#lookAtEach((member) => this.#lookAt(member));
  }

  /** Looks at those members whose settings have changed in what can do harm. */
  async lookForHarm(): Promise<void> {
    await this.#lookAtEach(async (member) => {
      if (!isToBeAsked(member)) return;
      const before = this.#pulses.get(member.place.id);
      const pulse = await readPulse(member.watch.client.connection);
      if (before !== pulse.text) await this.#lookAt(member, pulse);
    });
  }

  async #lookAtEach(look: (member: LiveMember) => Promise<void>): Promise<void> {
    const { members, operations, events, spec } = this.#deployment;
    for (const member of members) {
      if (operations.current !== null) return;
      try {
        await look(member);
        this.#failure = '';
      } catch (error) {
        // A member that does not answer is somebody else's business; a spec that no server takes is told once.
        const text = errorText(error);
        if (errorCode(error) !== 'APPLY_REFUSED' || text === this.#failure) continue;
        this.#failure = text;
        events.add('drift-unknown', spec.name, text);
      }
    }
  }

  #compare(member: string, running: ServerSettings, wanted: ServerSettings, asTaken: boolean): Drift[] {
    const text = JSON.stringify([running, asTaken]);
    const before = this.#compared.get(member);
    if (before?.running === text && before.wanted === wanted) return before.found;
    const found = compare(member, running, wanted, asTaken);
    this.#compared.set(member, { running: text, wanted, found });
    return found;
  }

  async #lookAt(member: LiveMember, pulse?: Pulse): Promise<void> {
    const { unit, place, watch } = member;
    if (!isToBeAsked(member) || unit === null || (await readChangeMark(unit.paths)) !== null) return;
    const { setting, operations, events } = this.#deployment;
    const wanted = await this.#expected.of(setting, member);
    // Before everything else: what changes in between is seen the next time.
    const { text, login } = pulse ?? (await readPulse(watch.client.connection));
    const running = await readSettings(watch.client);
    if (operations.current !== null || setting !== this.#deployment.setting) return;
    const found = [
      ...this.#compare(place.id, running, wanted, runsAsTaken(unit.paths)),
      // Standalone members follow by their agents' streams.
      ...(this.#deployment.spec.mirror === null ? differentLogin(login, setting.secrets) : []).map(
        (each): Drift => ({ member: place.id, kind: 'setting', ...each }),
      ),
    ];
    const before = new Set((this.#seen.get(place.id) ?? []).map((each) => JSON.stringify(each)));
    this.#seen.set(place.id, found);
    this.#pulses.set(place.id, text);
    for (const each of found)
      if (!before.has(JSON.stringify(each))) events.add('drift', place.id, describeDrift(each));
  }
}

function compare(member: string, running: ServerSettings, wanted: ServerSettings, asTaken: boolean): Drift[] {
  // What only a start brings is no drift of one that was taken over and runs on: nobody changed it.
  const settings = asTaken
    ? differentWhileTaken(running.config, wanted).filter(({ name }) => !fixedSettings.has(name))
    : differentSettings(running.config, wanted);
  return [
    ...settings.map((each): Drift => ({ member, kind: 'setting', ...each })),
    ...(asTaken ? [] : differentUsers(running.users, wanted.users)).map(
      ({ user: name, ...rules }): Drift => ({ member, kind: 'user', name, ...rules }),
    ),
  ];
}

function isToBeAsked({ unit, watch: { seen } }: LiveMember): boolean {
  return unit?.process.running === true && seen.reachable && !seen.busy;
}

/** Of a setting's value, and of a user's name, so many characters are shown. */
const shownCharacters = 100;

/** One sentence, of a length that is fit to be read. Two that are not the same may have the same one: drift is compared whole. */
export function describeDrift({ member, kind, name: whole, running, wanted }: Drift): string {
  const name = shown(whole, shownCharacters);
  if (kind === 'setting') {
    const [now, then] = [running, wanted].map((value) => shown(shownValue(whole, value), shownCharacters));
    return `${member} runs with ${name} ${now}, and by the spec it is ${then}`;
  }
  if (wanted === '') return `${member} has a user ${name} that the spec does not name`;
  if (running === '') return `${member} lacks the user ${name}`;
  return differenceOfUser(name, { member, running, wanted });
}
