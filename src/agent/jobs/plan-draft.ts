/** What the plans of all operations are made of. Pure. */
import type { ApiMember, ApiView } from '../../api/view.ts';

export interface Refusal {
  why: string;
  hint: string;
}

/** Set beside what is refused or done: half a plan each. */
export interface Draft {
  refusal?: Refusal | undefined;
  will: string[];
  warnings?: string[];
}

export function underWay({ operation }: ApiView): Refusal | undefined {
  if (operation === null) return undefined;
  return { why: `${operation.text} is under way`, hint: 'Wait for its end, or give it up.' };
}

export function keysIn(view: ApiView): number {
  return view.members.find(({ id }) => id === view.primary)?.keys ?? 0;
}

export function namesOf(members: readonly ApiMember[]): string {
  return members.length === 0 ? 'none' : members.map(({ id }) => id).join(', ');
}
