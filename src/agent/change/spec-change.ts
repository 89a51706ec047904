/** What `apply` changes, one difference between what runs and the spec. */
export interface Change {
  /** The id of what changes. */
  where: string;
  what: string;
  from: string;
  to: string;
  /** Taken at once, after `holdfast restart`, or after `holdfast down` and `holdfast up`. */
  takes: 'now' | 'restart' | 'down-and-up';
  /** What is done for it, one sentence each, when it is more than one command. */
  steps?: string[];
}
