/**
 * Ctrl-C and SIGTERM as a signal to abort with, so that what is half done is undone. A second Ctrl-C ends the process
 * at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const aborter = new AbortController();
  const status = { SIGINT: 130, SIGTERM: 143 };
  const stop = (name: NodeJS.Signals) => {
    if (aborter.signal.aborted) process.exit(status[name as keyof typeof status]);
    aborter.abort(new Error(name));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(aborter.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
