import { startTransition, useEffect, useState } from 'react';
import type { ApiHistory } from '../../../src/api/history.ts';
import { ask, asRefusal, type Refusal } from './ask.ts';
import { agentNowMs } from './page-state.ts';
import { joinSamples, type Samples } from './samples.ts';

/** 1s: the last hour. 1m: the last week. */
export type HistoryStep = '1s' | '1m';

const stepMs = { '1s': 1000, '1m': 60_000 } as const;
const againMs = { '1s': 1000, '1m': 30_000 } as const;

/** The history, which grows by itself. @param backMs how much of it is wanted, and kept. */
export function useHistory(
  step: HistoryStep,
  backMs: number,
): { history: Samples | null; refusal: Refusal | null } {
  const [history, setHistory] = useState<Samples | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  useEffect(() => {
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let there: Samples | null = null;
    const look = async () => {
      try {
        if (!document.hidden) {
          const last = there?.at.at(-1);
          const from = last === undefined ? agentNowMs() - backMs : last + 1;
          const more = await ask<ApiHistory>(
            `api/history?step=${step}&from=${Math.floor(from)}`,
            ended.signal,
          );
          const joined: Samples = joinSamples(there, more, Math.ceil(backMs / stepMs[step]));
          there = joined;
          startTransition(() => {
            setHistory(joined);
            setRefusal(null);
          });
        }
      } catch (error) {
        if (ended.signal.aborted) return;
        setRefusal(asRefusal(error));
      }
      if (!ended.signal.aborted) timer = setTimeout(() => void look(), againMs[step]);
    };
    void look();
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, [step, backMs]);
  return { history, refusal };
}
