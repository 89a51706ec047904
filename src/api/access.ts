/** Who may do what: docs of the rules are in SECURITY.md. */
import { z } from 'zod';
import { flag, orNull, text, time } from './fields.ts';

export const loginSchema = z
  .strictObject({ token: z.string().min(1).max(200).describe('A token of the deployment, of either role.') })
  .describe('Opens a session: the answer sets a cookie (HttpOnly, SameSite=Strict).');

export const sessionSchema = z
  .object({
    role: orNull(
      z.enum(['read', 'operate']).describe('What may be done; null: nothing, a token is wanted first.'),
    ),
    by: orNull(text('The name of the token; null without one.')),
    until: orNull(time('When the session ends; null without one.')),
    loginNeeded: flag('Reading needs a token too: it was not asked from this machine.'),
  })
  .describe('What whoever asks may do.');

export const healthSchema = z
  .object({ ok: flag('It is so.'), why: orNull(text('Why not.')) })
  .describe('An answer for load balancers: 200 when it is so, 503 when not.');

export type ApiSession = z.infer<typeof sessionSchema>;
export type ApiHealth = z.infer<typeof healthSchema>;
