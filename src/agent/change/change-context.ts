import type { Deployment } from '../deployment.ts';
import type { Observer } from '../observe/observer.ts';
import type { Operation } from '../operations.ts';

/** Hears what is being done, a line at a time. */
export type Report = (line: string) => void;

/** What a planned change acts on, and the token under which it does. */
export interface ChangeContext {
  deployment: Deployment;
  observer: Observer;
  report: Report;
  operation: Operation;
}
