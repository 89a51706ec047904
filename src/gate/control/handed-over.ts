import type { ChildProcess, SendHandle } from 'node:child_process';

/**
 * Connections on their way from the first process to a worker. Node's cluster accepts them in the first process, sends
 * each to a worker as an internal message `{ cmd: 'NODE_CLUSTER', act: 'newconn', seq }` with its handle, and closes its
 * own copy when the worker answers `{ ack: seq }` (lib/internal/cluster/round_robin_handle.js and utils.js). A worker
 * that ends before that never answers, and the copy would stay open: the client would wait for ever at a connection
 * that nobody serves. So what a worker had not answered is closed when its channel ends. It does not go to another worker:
 * an answer may have been lost behind what the worker had read by then.
 *
 * A channel that ends with a handle under way sets `connected` to false and never has its event `disconnect`
 * (lib/internal/child_process.js), by which cluster learns that the worker gets no more connections. It is made up for.
 */
export function closeWhatIsLost(worker: ChildProcess): void {
  const underWay = new Map<number, Closable>();
  const send = worker.send.bind(worker) as (...all: unknown[]) => boolean;
  const noting = (message: unknown, handle?: SendHandle, ...more: unknown[]) => {
    const { cmd, act, seq } = (message ?? {}) as Internal;
    if (cmd === 'NODE_CLUSTER' && act === 'newconn' && seq !== undefined && isClosable(handle)) {
      underWay.set(seq, handle);
    }
    return send(message, handle, ...more);
  };
  worker.send = noting as ChildProcess['send'];
  worker.on('internalMessage', ({ cmd, ack }: Internal) => {
    if (cmd === 'NODE_CLUSTER' && ack !== undefined) underWay.delete(ack);
  });

  let told = false;
  worker.once('disconnect', () => {
    told = true;
  });
  onceNotConnected(worker, () => {
    // Every answer that it sent has been read.
    for (const handle of underWay.values()) handle.close();
    underWay.clear();
    if (!told) worker.emit('disconnect');
  });
}

/** Calls back before anything else is read, but after the event `disconnect` if that comes. */
function onceNotConnected(worker: ChildProcess, then: () => void): void {
  let { connected } = worker;
  Object.defineProperty(worker, 'connected', {
    configurable: true,
    enumerable: true,
    get: () => connected,
    set: (value: boolean) => {
      const ends = connected && !value;
      connected = value;
      if (ends) process.nextTick(() => process.nextTick(then));
    },
  });
}

interface Internal {
  cmd?: string;
  act?: string;
  seq?: number;
  ack?: number;
}

interface Closable {
  close(): void;
}

function isClosable(handle: unknown): handle is Closable {
  return typeof (handle as Partial<Closable> | null | undefined)?.close === 'function';
}
