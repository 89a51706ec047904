/** One thread of the load generator: its users, and what they saw since the last mark. */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { type HttpPlan, HttpWire } from './http-wire.ts';
import { type RedisPlan, RedisWire } from './redis-wire.ts';
import { type Bucket, newBucket, newTally, recordMs, type Tally } from './tally.ts';
import { User, type UserPlan } from './user.ts';

export type WorkerPlan = UserPlan & (RedisPlan | HttpPlan) & { users: number; bucketMs: number };

/**
 * `mark` forgets what was so far, and the first has the users begin: all are connected by then, also to what is busy with those
 * that came first. `stop` ends them and has the tally posted.
 */
export type WorkerOrder = 'mark' | 'stop';
export type WorkerWord = { kind: 'connected' } | { kind: 'done'; tally: Tally };

/** More at once would overflow the queue of a listening socket. */
const connectAtOnce = 50;

class Thread {
  readonly #plan: WorkerPlan;
  readonly #users: User[];
  #begun = false;
  #tally: Tally = newTally();
  #markedMs = performance.now();
  #usage: EventLoopUtilization = performance.eventLoopUtilization();

  constructor(plan: WorkerPlan) {
    this.#plan = plan;
    const events = {
      onAnswer: (isRead: boolean, waitMs: number, lagMs: number) => {
        recordMs(this.#tally.latency, waitMs);
        recordMs(this.#tally.lag, lagMs);
        const bucket = this.#bucket();
        if (isRead) bucket.reads++;
        else bucket.writes++;
        bucket.longestMs = Math.max(bucket.longestMs, waitMs);
      },
      onError: (word: string) => {
        this.#tally.errors[word] = (this.#tally.errors[word] ?? 0) + 1;
        this.#bucket().errors++;
      },
      onDropped: () => {
        this.#tally.dropped++;
      },
    };
    const open = (onClosed: () => void) =>
      plan.protocol === 'http' ? new HttpWire(plan, onClosed) : new RedisWire(plan, onClosed);
    this.#users = Array.from({ length: plan.users }, () => new User(plan, open, events));
  }

  async connect(): Promise<void> {
    for (let i = 0; i < this.#users.length; i += connectAtOnce) {
      await Promise.all(this.#users.slice(i, i + connectAtOnce).map((user) => user.connect()));
    }
  }

  mark(): void {
    this.#tally = newTally();
    this.#markedMs = performance.now();
    this.#usage = performance.eventLoopUtilization();
    if (!this.#begun) for (const user of this.#users) user.begin();
    this.#begun = true;
  }

  stop(): Tally {
    for (const user of this.#users) user.stop();
    const { utilization } = performance.eventLoopUtilization(this.#usage);
    // A slice in which nothing was answered is a slice all the same.
    this.#bucket();
    return { ...this.#tally, utilization };
  }

  #bucket(): Bucket {
    const { buckets } = this.#tally;
    const index = Math.floor((performance.now() - this.#markedMs) / this.#plan.bucketMs);
    while (buckets.length <= index) buckets.push(newBucket());
    return buckets[index] as Bucket;
  }
}

const port = parentPort;
if (port) {
  const thread = new Thread(workerData as WorkerPlan);
  const say = (word: WorkerWord) => port.postMessage(word);
  port.on('message', (order: WorkerOrder) => {
    if (order === 'mark') return thread.mark();
    say({ kind: 'done', tally: thread.stop() });
    port.close();
  });
  void thread.connect().then(() => say({ kind: 'connected' }));
}
