import { FreshCall } from '../../base/fresh-call.ts';
import type { DiskState } from '../../topology/cold-start.ts';
import { type MemberFiles, readDiskState } from './disk-state.ts';

/** Watches what lies in the data folder of a member of this host while it does not run. */
export class DataWatch {
  readonly #files: MemberFiles;
  #seen: DiskState | null = null;
  readonly #question = new FreshCall(async () => {
    this.#seen = await readDiskState(this.#files);
  });

  constructor(files: MemberFiles) {
    this.#files = files;
  }

  /** Null until it was looked at since the process died. */
  get seen(): DiskState | null {
    return this.#seen;
  }

  /** Looks: what is seen then is younger than this call. */
  look(): Promise<void> {
    return this.#question.make();
  }

  /** Looks again. @returns whether it is as it was: what was decided before still holds. */
  async isUnchanged(): Promise<boolean> {
    const before = this.#seen;
    await this.look();
    const now = this.#seen;
    return before?.hasData === now?.hasData && before?.writtenAtMs === now?.writtenAtMs;
  }

  /** To be called when the process starts or dies: it may have written. */
  forget(): void {
    this.#seen = null;
  }
}
