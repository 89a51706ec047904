import { describeDuration } from '../base/duration.ts';
import { describeSize } from '../base/size.ts';
import type { Output } from './output.ts';
import type { RdbInput } from './rdb-input.ts';

const redrawMs = 200;
const plainLineMs = 10_000;

/** Says how far a verb has come: a line that is redrawn on a terminal, a line every ten seconds elsewhere. */
export class RdbProgress {
  private readonly output: Output;
  private readonly what: string;
  private readonly inputs: RdbInput[];
  private readonly startedMs = performance.now();
  private saidMs = this.startedMs;
  private hasLine = false;
  private readonly keys: () => number;

  constructor(output: Output, what: string, inputs: RdbInput[], keys: () => number) {
    this.output = output;
    this.what = what;
    this.inputs = inputs;
    this.keys = keys;
  }

  /** Cheap enough to be called for every piece. */
  tick(): undefined {
    const nowMs = performance.now();
    if (nowMs - this.saidMs < (this.output.live ? redrawMs : plainLineMs)) return;
    this.saidMs = nowMs;
    if (this.output.live) {
      this.output.redraw(this.text(nowMs));
      this.hasLine = true;
    } else {
      this.output.note(this.text(nowMs));
    }
  }

  /** Clears the line; to be called before anything else is said. */
  done(): void {
    if (this.hasLine) this.output.redraw('');
    this.hasLine = false;
  }

  get seconds(): number {
    return (performance.now() - this.startedMs) / 1000;
  }

  private text(nowMs: number): string {
    const taken = this.inputs.reduce((sum, input) => sum + input.taken, 0);
    const sizes = this.inputs.map(({ size }) => size);
    const total = sizes.reduce<number | undefined>(
      (sum, size) => (sum === undefined || size === undefined ? undefined : sum + size),
      0,
    );
    const rate = taken / Math.max(nowMs - this.startedMs, 1);
    const parts = [this.what, `${this.keys()} keys`, `${describeSize(rate * 1000)}/s`];
    if (total === undefined || total === 0) parts.splice(1, 0, describeSize(taken));
    else {
      parts.splice(1, 0, `${Math.floor((taken / total) * 100)}% of ${describeSize(total)}`);
      parts.push(`${describeDuration(Math.max(total - taken, 0) / rate)} left`);
    }
    return parts.join('  ');
  }
}
