/** Answers one after the other, an error by throwing it; the last for ever. */
export function saysInOrder<T extends object>(says: (T | Error)[]): () => Promise<T> {
  return async () => {
    const [now] = says.length > 1 ? says.splice(0, 1) : says;
    if (now instanceof Error) throw now;
    return now as T;
  };
}
