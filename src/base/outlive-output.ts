/**
 * For processes that serve others, and whose output is only told besides: they go on when nobody takes it any more, or the
 * disk under their log is full. What can't be written is lost; what comes when there is room again is not.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.removeAllListeners('error').on('error', () => {});
}
