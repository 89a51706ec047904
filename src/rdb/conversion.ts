/** What was made, and what is missing of it in words; or why nothing was. */
export type Conversion = { type: number; body: Buffer; without?: string } | { reason: string };
