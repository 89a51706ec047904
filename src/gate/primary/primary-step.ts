import { describeDuration } from '../../base/duration.ts';
import type { MemberAddress } from '../config.ts';
import type { Role } from '../upstream/probe.ts';
import { isNewer, namedBySentinels, unanimouslyNamed } from './named.ts';
import type { Effect, PrimaryEvent, Step } from './primary-event.ts';
import {
  type Candidate,
  type Claim,
  isOverdue,
  isSettling,
  type Mode,
  type PrimaryRules,
  type PrimaryState,
  refusalOfSwitch,
} from './primary-state.ts';
import { afterSelection, bearingOf, type Found, newCandidate, outlastsHold, replaced } from './selected.ts';
import { mayGoOn, whomToAsk } from './whom-to-ask.ts';

/**
 * Who is primary for the gate: a pure function from what is known and what happened to what is known next, and what is
 * to be done. The rules:
 *
 * - A member becomes primary on one of the grounds in primary-state.ts, and in every case only once its own ROLE says
 *   master and it has loaded its data. Nothing is done for a member that merely claims to be primary, and nothing at
 *   all for a server that is no member.
 * - A primary that was accepted under an epoch is replaced only under a higher one: after a change, Sentinels go on
 *   naming the old primary for a second or more. The exception keeps an outage from lasting for ever: ours is gone for
 *   10 s, or says for 1 s that it is a replica, and all that time every Sentinel that answers, a majority, named the
 *   same other member.
 * - On a selection writes are held, and the selected one is asked every few ms. When the failover is aborted, and the old
 *   one still answers as primary, the writes go on there. So they do when nothing comes of it: nobody listens where the
 *   selected one was, or it does not act as primary a second later, while the old one does and nobody else is named.
 *   The Sentinel may be at it for failover-timeout, and promote the selected one when that comes back: so that one is
 *   asked on, slowly.
 * - A Sentinel may be ahead of this gate: the one that it replaces is only about to be primary here, because it does not answer
 *   yet. Then the selected one takes its place, and the other gets it back when nothing comes of the selection.
 * - The end of an agent's hold is no end of another reason to hold.
 * - When connections to the primary break it is asked whether it still is. When it does not answer as primary everything
 *   is held. It is asked on, in case it was only restarted, unless somebody else is named.
 * - Without a majority the gate keeps its primary while that one still answers as primary, and says so.
 * - A primary that is new, or back, refuses writes until a replica follows it. Writes wait, and every few ms one is let
 *   through to see: when it is not refused, all go on. So they do however the waiting ended: nobody else tells them.
 * - Without Sentinels the first member is the primary, always.
 */
const askMs = 3;
const slowAskMs = 50;
/** Held for longer than this, it asks slowly. */
const patientAfterMs = 5000;
const pollHoldingMs = 250;
const pollOpenMs = 5000;
const pollMembersMs = 1000;
/** After a selection that nothing came of: so long the selected one is asked. */
const selectionLimitMs = 30_000;
const tryMs = 2;
const never = Number.POSITIVE_INFINITY;

export function step(before: PrimaryState, event: PrimaryEvent, rules: PrimaryRules, nowMs: number): Step {
  const work = new Work(before, rules, nowMs);
  work.take(event);
  return work.done();
}

/** One step at work: what is known so far, and the effects. */
class Work {
  #state: PrimaryState;
  readonly #before: PrimaryState;
  readonly #rules: PrimaryRules;
  readonly #nowMs: number;
  readonly #effects: Effect[] = [];

  constructor(before: PrimaryState, rules: PrimaryRules, nowMs: number) {
    this.#state = before;
    this.#before = before;
    this.#rules = rules;
    this.#nowMs = nowMs;
  }

  take(event: PrimaryEvent): void {
    this.#giveBack();
    switch (event.kind) {
      case 'tick':
        this.#tick();
        return;
      case 'sole':
        this.#become(event.member, { by: event.by, epoch: -1 });
        return;
      case 'claim':
        this.#claim(event.sentinel, event.claim);
        return;
      case 'selected':
      case 'switched':
        this.#selected(event);
        return;
      case 'aborted':
        this.#log(`the failover was given up: ${event.event}`);
        if (this.#state.candidate?.grounds !== 'agent')
          this.#set({ candidate: this.#state.candidate?.before ?? null });
        this.#askNow();
        return;
      case 'role':
        this.#role(event.member, event.role);
        return;
      case 'lost':
        this.#lost(event);
        return;
      case 'readonly':
        if (event.member !== this.#state.primary) return;
        if (this.#state.mode.kind === 'open')
          this.#hold('demotion', `${event.member.id} answers as a replica`);
        this.#askNow();
        return;
      case 'not-ready':
        this.#settle();
        return;
      case 'agent-hold':
        this.#agentHold(event);
        return;
      case 'agent-release':
        if (this.#state.mode.kind === 'writes') this.#endHold('released');
        return;
      case 'agent-switch': {
        const { member, epoch, withinMs } = event;
        if (refusalOfSwitch(this.#state, member, epoch) !== null) return;
        this.#name({ member, grounds: 'agent', by: 'the agent', epoch }, withinMs);
      }
    }
  }

  done(): Step {
    const { contrary } = this.#state;
    const found = unanimouslyNamed(this.#state, this.#rules);
    if (found?.id !== contrary?.member.id || found === null) {
      this.#set({ contrary: found && { member: found, sinceMs: this.#nowMs } });
    }
    this.#ask();
    const changed =
      this.#state.primary !== this.#before.primary || this.#state.mode.kind !== this.#before.mode.kind;
    if (changed) this.#effects.push({ kind: 'changed' });
    else if (isSettling(this.#before) && !isSettling(this.#state)) this.#effects.push({ kind: 'go-on' });
    return { state: this.#state, effects: this.#effects };
  }

  #set(changes: Partial<PrimaryState>): void {
    this.#state = { ...this.#state, ...changes };
  }

  #log(text: string): void {
    this.#effects.push({ kind: 'log', text });
  }

  // ---- what happened

  #tick(): void {
    const { mode, candidate, pollAtMs } = this.#state;
    if (candidate !== null && this.#nowMs >= candidate.untilMs) {
      this.#set({ candidate: null });
      this.#askNow();
    }
    if (mode.kind === 'writes' && mode.by === 'agent' && this.#nowMs >= mode.untilMs) {
      this.#log(`the hold lasted ${describeDuration(mode.maxMs)}, its limit`);
      this.#endHold('limit');
    }
    if (mode.kind === 'open' && mode.settling !== null && this.#nowMs >= mode.settling.untilMs) {
      const waited = mode.settling.phase === 'waiting';
      const untilMs = this.#nowMs + tryMs;
      this.#set({ mode: { kind: 'open', settling: waited ? { phase: 'trying', untilMs } : null } });
      if (waited) this.#effects.push({ kind: 'try-one' });
    }
    if (this.#nowMs >= pollAtMs) this.#poll();
    this.#followNamed();
  }

  #claim(sentinel: number, claim: Claim | null): void {
    const { claims, primary, heard, epoch } = this.#state;
    this.#set({ claims: claims.with(sentinel, claim) });
    if (claim !== null) {
      this.#set({ heard: Math.max(heard, claim.epoch) });
      if (claim.member !== null && claim.member === primary)
        this.#set({ epoch: Math.max(epoch, claim.epoch) });
      this.#confirm(claim);
    }
    this.#followNamed();
  }

  /** A Sentinel announced a candidate; this one says under which epoch. */
  #confirm({ member, epoch }: Claim): void {
    const { candidate } = this.#state;
    if (candidate?.grounds !== 'announcement' || candidate.member !== member) return;
    if (epoch <= this.#state.epoch) return;
    this.#set({ candidate: { ...candidate, epoch } });
    this.#tryCandidate();
  }

  #selected(chosen: Extract<PrimaryEvent, { kind: 'selected' | 'switched' }>): void {
    const { kind, member, old, event } = chosen;
    const { mode, candidate } = this.#state;
    const bearing = bearingOf(this.#state, chosen, this.#nowMs);
    // Of one that we have by its selection a Sentinel says the epoch, without which the next change could be taken back.
    if (bearing === 'elsewhere' || (bearing === 'known' && kind === 'switched')) this.#poll();
    if (bearing !== 'news') return;
    this.#log(`${event}: ${member.id} is to replace ${old?.id ?? 'the primary'}`);
    if (mode.kind === 'open') this.#hold('selection', `a Sentinel selected ${member.id}`);
    const grounds = kind === 'selected' ? 'selection' : 'announcement';
    this.#name({ member, grounds, by: event, epoch: null }, selectionLimitMs, replaced(candidate, old));
    if (kind === 'switched') this.#poll();
  }

  #lost({ member, reason }: { member: MemberAddress; reason: string }): void {
    const { primary, mode, doubt } = this.#state;
    const holdsAll = mode.kind === 'all' || mode.kind === 'loading';
    if (member !== primary || holdsAll || doubt !== null) return;
    this.#set({ doubt: reason });
    this.#askNow();
  }

  #role(member: MemberAddress, role: Role): void {
    const { asked, candidate, primary, doubt } = this.#state;
    const pace = this.#heldForMs() > patientAfterMs || this.#isOpenBeside() ? slowAskMs : askMs;
    this.#set({ asked: asked.filter((id) => id !== member.id), askAtMs: this.#nowMs + pace });
    if (candidate?.member === member) {
      const acts = role === 'master';
      this.#set({ candidate: { ...candidate, acts, isGone: role === 'absent' } });
      if (this.#tryCandidate()) return;
    }
    if (member !== primary) return;
    if (doubt !== null) this.#answerDoubt(member, role, doubt);
    else if (mayGoOn(this.#state, this.#rules, this.#nowMs)) this.#old(member, role);
  }

  /** The primary was asked because a connection to it broke. */
  #answerDoubt(member: MemberAddress, role: Role, doubt: string): void {
    this.#set({ doubt: null });
    if (role === 'master' || role === 'unknown') return;
    const reason = `${member.id} is lost: ${doubt}`;
    this.#holdAll('all', reason);
    if (role === 'loading') this.#loads(member);
  }

  /** Nobody is to replace the primary, as far as anybody can tell: it may still be it. */
  #old(member: MemberAddress, role: Role): void {
    const { mode } = this.#state;
    if (mode.kind === 'open' || mode.kind === 'starting') return;
    const byAgent = mode.kind === 'writes' && mode.by === 'agent';
    const good = role === 'master' || (role === 'unknown' && this.#rules.sentinels === 0);
    if (good && !byAgent) this.#open();
    else if (mode.kind === 'all' && role === 'loading') this.#loads(member);
    else if (mode.kind === 'loading' && role !== 'loading') this.#holdAll('all', `${member.id} is lost`);
  }

  #loads(member: MemberAddress): void {
    this.#holdAll('loading', `${member.id} loads its data`);
  }

  #settle(): void {
    const { mode } = this.#state;
    if (mode.kind !== 'open' || mode.settling?.phase === 'waiting') return;
    this.#set({ mode: { kind: 'open', settling: { phase: 'waiting', untilMs: this.#nowMs + tryMs } } });
  }

  #agentHold({ reason, maxMs, patient }: Extract<PrimaryEvent, { kind: 'agent-hold' }>): void {
    const { mode } = this.#state;
    if (mode.kind !== 'open' && mode.kind !== 'writes') return;
    const untilMs = this.#nowMs + maxMs;
    if (mode.kind === 'open') this.#log(`holding writes: ${reason}`);
    const sinceMs = mode.kind === 'writes' ? mode.sinceMs : this.#nowMs;
    this.#set({ mode: { kind: 'writes', by: 'agent', reason, sinceMs, untilMs, maxMs, patient } });
    if (mode.kind === 'open') this.#poll();
  }

  // ---- who is named

  #followNamed(): void {
    const named = namedBySentinels(this.#state, this.#rules, this.#nowMs);
    const { candidate, primary } = this.#state;
    if (named === null || named.member === primary) return;
    // Somebody selected or announced before is not forgotten for what is older.
    if (candidate !== null && (candidate.member === named.member || named.epoch <= candidate.heard)) return;
    // Nor for the one that it replaces.
    if (candidate?.grounds === 'selection' && candidate.before?.member === named.member) return;
    this.#name(named, selectionLimitMs);
  }

  #name(found: Found, limitMs: number, before: Candidate | null = null): void {
    this.#set({ candidate: newCandidate(found, this.#state, before, this.#nowMs, limitMs) });
    this.#askNow();
  }

  #giveBack(): void {
    const candidate = afterSelection(this.#state.candidate, this.#nowMs, selectionLimitMs);
    if (candidate === this.#state.candidate) return;
    this.#set({ candidate });
    this.#askNow();
  }

  /** True when the candidate became primary. */
  #tryCandidate(): boolean {
    const { candidate, epoch, primary } = this.#state;
    if (candidate === null || !candidate.acts) return false;
    const needsEpoch = candidate.grounds === 'epoch' || candidate.grounds === 'announcement';
    const may = candidate.member === primary || isNewer(candidate.epoch ?? -1, epoch, this.#rules);
    if (needsEpoch && !may) return false;
    this.#become(candidate.member, candidate);
    return true;
  }

  #become(member: MemberAddress, { by, epoch }: { by: string; epoch: number | null }): void {
    const { primary, heard, switches } = this.#state;
    if (member === primary) this.#set({ epoch: Math.max(this.#state.epoch, epoch ?? -1) });
    else {
      this.#set({
        primary: member,
        // A failover has a higher epoch than any that was heard of before it.
        epoch: epoch ?? heard,
        newSinceMs: this.#nowMs,
        switches: switches + (primary === null ? 0 : 1),
      });
    }
    this.#log(`${member.id} (${member.address}:${member.port}) is primary, says ${by}`);
    const { candidate } = this.#state;
    this.#set({ candidate: candidate?.member === member ? candidate.beside : null });
    this.#open();
  }

  // ---- what is held

  #hold(by: 'selection' | 'demotion', reason: string): void {
    this.#log(`holding writes: ${reason}`);
    this.#set({ mode: { kind: 'writes', by, reason, sinceMs: this.#nowMs } });
    this.#poll();
  }

  #holdAll(kind: 'all' | 'loading', reason: string): void {
    const { mode } = this.#state;
    const sinceMs = mode.kind === 'open' ? this.#nowMs : mode.sinceMs;
    if (mode.kind !== 'all' && mode.kind !== 'loading') this.#log(`holding everything: ${reason}`);
    else this.#log(reason);
    this.#set({ mode: { kind, reason, sinceMs } });
    this.#poll();
  }

  #endHold(end: 'released' | 'limit'): void {
    const { mode, candidate } = this.#state;
    if (mode.kind !== 'writes' || !outlastsHold(this.#state, end, this.#nowMs)) this.#open();
    else {
      const reason = `${candidate?.member.id} may be primary soon`;
      this.#set({ mode: { kind: 'writes', by: 'selection', reason, sinceMs: mode.sinceMs } });
    }
  }

  #open(): void {
    const { mode } = this.#state;
    if (mode.kind === 'all' || mode.kind === 'loading') this.#set({ newSinceMs: this.#nowMs });
    if (mode.kind !== 'open') this.#log(`open after ${describeDuration(this.#heldForMs())}`);
    const open: Mode = { kind: 'open', settling: null };
    const { candidate } = this.#state;
    const still = candidate !== null && isOverdue(candidate, this.#nowMs) ? candidate : null;
    const askAtMs = still === null ? never : this.#nowMs + slowAskMs;
    this.#set({ mode: open, candidate: still, doubt: null, askAtMs });
    this.#poll();
  }

  /** It goes on though one was selected, of which nothing came yet. */
  #isOpenBeside(): boolean {
    const { mode, candidate } = this.#state;
    return mode.kind === 'open' && candidate !== null && isOverdue(candidate, this.#nowMs);
  }

  #heldForMs(): number {
    const { mode } = this.#state;
    return mode.kind === 'open' ? 0 : this.#nowMs - mode.sinceMs;
  }

  // ---- whom to ask

  #poll(): void {
    const some = this.#rules.sentinels > 0;
    const openMs = this.#rules.byMembers ? pollMembersMs : pollOpenMs;
    const inMs = this.#state.mode.kind === 'open' ? openMs : pollHoldingMs;
    this.#set({ pollAtMs: some ? this.#nowMs + inMs : never });
    if (some && !this.#effects.some(({ kind }) => kind === 'poll')) this.#effects.push({ kind: 'poll' });
  }

  #askNow(): void {
    this.#set({ askAtMs: this.#nowMs });
  }

  #ask(): void {
    const wanted = whomToAsk(this.#state, this.#rules, this.#nowMs);
    const { asked, askAtMs } = this.#state;
    const missing = wanted.filter(({ id }) => !asked.includes(id));
    // Who was asked already answers, or is given up: that is an event of its own.
    const later = askAtMs > this.#nowMs && missing.length > 0;
    this.#set({ askAtMs: later ? Math.min(askAtMs, this.#nowMs + slowAskMs) : never });
    if (later) return;
    this.#set({ asked: [...asked, ...missing.map(({ id }) => id)] });
    for (const member of missing) this.#effects.push({ kind: 'ask', member });
  }
}
