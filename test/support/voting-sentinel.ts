/**
 * A Sentinel that votes and hears hello as Redis's does (sentinel.c: sentinelVoteLeader, sentinelReceiveHelloMessages,
 * sentinelProcessHelloMessage, sentinelStartFailoverIfNeeded), in memory and with a clock of the test's. It knows one primary.
 */
export interface Told {
  primary: string;
  configEpoch: number;
}

export class VotingSentinel {
  readonly id: string;
  readonly runId: string;
  readonly failoverTimeoutMs: number;
  currentEpoch = 0;
  leader: string | null = null;
  leaderEpoch = 0;
  primary: string;
  configEpoch = 0;
  /** When it, or whoever it voted for, began a failover. */
  failoverStartMs = Number.NEGATIVE_INFINITY;
  /** Sentinels that it was told of and did not know. */
  readonly strangers: string[] = [];
  readonly colleagues: { address: string; port: number; runId: string }[] = [];
  readonly switched: Told[] = [];

  constructor(id: string, primary: string, failoverTimeoutMs = 6000) {
    this.id = id;
    this.runId = id.padEnd(40, '0');
    this.primary = primary;
    this.failoverTimeoutMs = failoverTimeoutMs;
  }

  vote(primary: string, epoch: number, runId: string, nowMs: number): { votedFor: string; epoch: number } {
    if (primary !== this.primary) return { votedFor: '*', epoch: 0 };
    this.currentEpoch = Math.max(this.currentEpoch, epoch);
    if (this.leaderEpoch < epoch && this.currentEpoch <= epoch) {
      this.leader = runId;
      this.leaderEpoch = this.currentEpoch;
      if (runId !== this.runId) this.failoverStartMs = nowMs;
    }
    return { votedFor: this.leader ?? '*', epoch: this.leaderEpoch };
  }

  hello(text: string): void {
    if (text.includes(this.runId)) return;
    const [address, port, runId, currentEpoch, , ip, primaryPort, configEpoch] = text.split(',');
    const known = this.colleagues.some(
      (each) => each.address === address && each.port === Number(port) && each.runId === runId,
    );
    if (!known) this.strangers.push(`${address}:${port} ${runId}`);
    this.currentEpoch = Math.max(this.currentEpoch, Number(currentEpoch));
    if (Number(configEpoch) <= this.configEpoch) return;
    this.configEpoch = Number(configEpoch);
    const primary = `${ip}:${primaryPort}`;
    if (primary === this.primary) return;
    this.primary = primary;
    this.leader = null;
    this.failoverStartMs = Number.NEGATIVE_INFINITY;
    this.switched.push({ primary, configEpoch: this.configEpoch });
  }

  /** What it tells its colleagues every 2 s. */
  ownHello(): string {
    const [ip, port] = this.primary.split(':');
    return ['10.0.0.9', 26379, this.runId, this.currentEpoch, 'trial', ip, port, this.configEpoch].join(',');
  }

  /** Takes over what a colleague tells it. */
  hears(colleague: VotingSentinel): void {
    const { address, port } = this.colleagues.find(({ runId }) => runId === colleague.runId) ?? {};
    const [, , ...rest] = colleague.ownHello().split(',');
    this.hello([address, port, ...rest].join(','));
  }

  /** Begins a failover of its own, if it may by its clock. @returns the epoch in which it stands. */
  begins(nowMs: number): number | null {
    if (nowMs - this.failoverStartMs < 2 * this.failoverTimeoutMs) return null;
    this.failoverStartMs = nowMs;
    this.currentEpoch += 1;
    return this.currentEpoch;
  }
}

/** Sentinels that know each other. */
export function sentinelsThatKnowEachOther(count: number, primary: string): VotingSentinel[] {
  const all = Array.from({ length: count }, (_, i) => new VotingSentinel(`sentinel-${i + 1}`, primary));
  for (const each of all) {
    each.colleagues.push(
      ...all.flatMap((other, i) =>
        other === each ? [] : [{ address: `10.0.0.${i + 1}`, port: 26379, runId: other.runId }],
      ),
    );
  }
  return all;
}
