/** What the owner of a connection to a member is told. */
export interface UpstreamEvents {
  /** The TCP connection is there: what the owner sends now comes first. */
  onConnect(): void;
  /** It is gone for good. The runs that were not answered are still in `upstream.ring`. */
  onClosed(reason: string): void;
  /** It was never opened: this process may open no more files. */
  onNoRoom(): void;
  /** A client is slow to read a long reply, so this connection stands still. */
  onSlow?: () => void;
}
