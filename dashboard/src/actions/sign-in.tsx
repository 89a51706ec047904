import { type FormEvent, useState } from 'react';
import type { ApiSession } from '../../../src/api/access.ts';
import { asRefusal, type Refusal, send } from '../data/ask.ts';
import { feed } from '../data/page-state.ts';
import { Alert } from '../parts/card.tsx';

/** Asks for a token. The agent answers with a session in a cookie that no script can read. */
export function SignIn({ why }: { why: string }) {
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setRefusal(null);
    try {
      await send<ApiSession>('POST', 'api/session', { token: token.trim() });
      setToken('');
      // Also while it is live: what follows the view with the session is told when that ends.
      await feed.connect();
    } catch (error) {
      setRefusal(asRefusal(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit} className="sign-in">
      <p>{why}</p>
      {refusal && <Alert title={refusal.message}>{refusal.hint && <p>{refusal.hint}</p>}</Alert>}
      {/* Keepers of passwords want a name to keep the token under. */}
      <input type="text" name="username" autoComplete="username" value="holdfast" readOnly hidden />
      <label className="field">
        Token
        <input
          type="password"
          name="token"
          autoComplete="current-password"
          spellCheck={false}
          required
          maxLength={200}
          value={token}
          onChange={({ target }) => setToken(target.value)}
        />
      </label>
      <p className="note">
        On the machine of an agent, <code>holdfast token</code> shows the tokens. The role <b>operate</b> may
        act, <b>read</b> may look.
      </p>
      <button type="submit" className="main" aria-disabled={busy}>
        Sign in
      </button>
    </form>
  );
}
