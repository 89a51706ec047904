/** A worker of the tests that is ended by a signal runs what its `exit` listeners do: they end what tests have left. */
for (const [signal, status] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)
  process.once(signal, () => process.exit(status));
