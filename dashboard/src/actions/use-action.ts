import { useEffect, useRef, useState } from 'react';
import type { ApiJob, ApiOperation, ApiPlan } from '../../../src/api/jobs.ts';
import { asRefusal, type Refusal, send } from '../data/ask.ts';
import { usePage } from '../data/page-state.ts';
import { parseShown } from '../data/parse-shown.ts';
import type { Phase } from './stages.ts';
import { whatDecides } from './what-decides.ts';

export interface Action {
  phase: Phase;
  plan: ApiPlan | null;
  /** The plan is another one than that which was shown before, though the operation is the same. */
  hasChanged: boolean;
  job: ApiJob | null;
  refusal: Refusal | null;
  go: () => void;
  cancel: () => void;
}

/** Takes an operation through its stages. Another operation, or another role, is checked anew. */
export function useAction(operation: ApiOperation, role: string | null): Action {
  const [job, setJob] = useState<ApiJob | null>(null);
  const [starting, setStarting] = useState(false);
  /** Why it could not be begun, or given up. */
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const { known, isOld, again } = usePlan(operation, role, job === null);
  const asked = JSON.stringify(operation);
  const world = known?.world;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was refused of another operation, or before another plan, is over.
  useEffect(() => setRefusal(null), [asked, role, world]);

  const id = job?.id;
  useEffect(() => {
    if (id === undefined) return;
    return followJob(id, setJob);
  }, [id]);

  const plan = known?.plan ?? null;
  const phase = phaseOf({ plan, isOld, job, starting, refusal: refusal ?? known?.refusal ?? null });
  const go = () => {
    if (plan === null || !mayGo(phase)) return;
    setStarting(true);
    setRefusal(null);
    // What is done is what was approved, or nothing.
    send<ApiJob>('POST', `api/operations?basis=${encodeURIComponent(plan.basis)}`, operation)
      .then(setJob)
      .catch((error) => {
        setRefusal(asRefusal(error));
        again();
      })
      .finally(() => setStarting(false));
  };
  const cancel = () => {
    if (id === undefined) return;
    send<ApiJob>('POST', `api/jobs/${id}/cancel`)
      .then(setJob)
      .catch((error) => setRefusal(asRefusal(error)));
  };
  return {
    ...{ phase, plan, hasChanged: known?.hasChanged === true, job },
    ...{ refusal: refusal ?? known?.refusal ?? null, go, cancel },
  };
}

/** Whether it may be approved. What failed before it began may be tried again. */
export function mayGo(phase: Phase): boolean {
  return phase === 'planned' || phase === 'not-begun';
}

interface Planned {
  /** What was asked for: that of another operation is no plan of this one. */
  asked: string;
  /** Of what it was made, and at which turn. */
  world: string;
  turn: number;
  plan: ApiPlan | null;
  refusal: Refusal | null;
  hasChanged: boolean;
}

/** The plan of now: it is asked for again when the deployment changes under it. @param wanted no more once it is begun */
function usePlan(operation: ApiOperation, role: string | null, wanted: boolean) {
  const [kept, setKept] = useState<Planned | null>(null);
  const [turn, setTurn] = useState(0);
  const decides = usePage(({ view }) => (view === null ? '' : whatDecides(view)));
  // What could not be asked while the agent was gone is asked when it is back.
  const world = usePage(({ connection }) => `${connection.state} ${decides}`);
  const asked = `${role} ${JSON.stringify(operation)}`;
  const latest = useRef(operation);
  latest.current = operation;

  useEffect(() => {
    if (!wanted) return;
    let current = true;
    const take = (answer: Pick<Planned, 'plan' | 'refusal'>) => {
      if (!current) return;
      setKept((before) => ({
        asked,
        world,
        turn,
        ...answer,
        hasChanged: isAnother(before, asked, answer.plan),
      }));
    };
    send<ApiPlan>('POST', 'api/operations/plan', latest.current)
      .then((plan) => take({ plan, refusal: null }))
      .catch((error) => take({ plan: null, refusal: asRefusal(error) }));
    return () => {
      current = false;
    };
  }, [asked, world, turn, wanted]);

  const known = kept?.asked === asked ? kept : null;
  return {
    known,
    isOld: wanted && known !== null && (known.world !== world || known.turn !== turn),
    again: () => setTurn((each) => each + 1),
  };
}

/** Whoever read the one before has to read it anew. Once said, that stays until the operation is another. */
function isAnother(before: Planned | null, asked: string, plan: ApiPlan | null): boolean {
  if (before === null || before.asked !== asked || before.plan === null || plan === null) return false;
  return before.hasChanged || before.plan.basis !== plan.basis;
}

interface Stand {
  plan: ApiPlan | null;
  isOld: boolean;
  job: ApiJob | null;
  starting: boolean;
  refusal: Refusal | null;
}

function phaseOf({ plan, isOld, job, starting, refusal }: Stand): Phase {
  if (job) return job.state === 'running' ? 'running' : job.state === 'done' ? 'done' : 'failed';
  if (starting) return 'starting';
  if (plan === null) return refusal ? 'refused' : 'checking';
  if (isOld) return 'checking';
  if (!plan.allowed) return 'refused';
  return refusal ? 'not-begun' : 'planned';
}

/** @returns what ends the following. The stream ends with the job; one that breaks before is opened again. */
function followJob(id: string, hear: (job: ApiJob) => void): () => void {
  const stream = new EventSource(new URL(`api/jobs/${id}/stream`, document.baseURI));
  stream.addEventListener('job', ({ data }) => {
    const job = parseShown(String(data)) as ApiJob;
    hear(job);
    if (job.state !== 'running') stream.close();
  });
  return () => stream.close();
}
