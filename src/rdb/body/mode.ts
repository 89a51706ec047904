/** How much of a body is looked at: its frame only; everything, to find what is wrong; everything, to tell it. */
export const bodyMode = { skip: 0, check: 1, decode: 2 } as const;
export type BodyMode = (typeof bodyMode)[keyof typeof bodyMode];
