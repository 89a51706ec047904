/** The codes before what modules store, so that those who do not know the module can pass over it. */
export const modulePart = { end: 0, signed: 1, unsigned: 2, float: 3, double: 4, string: 5 } as const;
