/** One connection of a virtual user, whatever protocol it speaks. */
export interface Wire {
  /** Rejects when it can't be connected. */
  readonly ready: Promise<unknown>;
  /** Why it ended: a code such as ECONNREFUSED; null while it is open, or when nobody knows. */
  readonly endCode: string | null;
  close(): void;
  /**
   * Sends one request. Resolves with null when it was done, and with the word of the refusal when it was refused; when the
   * connection ends before, it never does.
   */
  request(isRead: boolean): Promise<string | null>;
}

export type OpenWire = (onClosed: () => void) => Wire;
