import { useEffect, useState } from 'react';
import type { ApiJob, ApiOperation, ApiPlan } from '../../../src/api/jobs.ts';
import { asRefusal, type Refusal, send } from '../data/ask.ts';
import { parseShown } from '../data/parse-shown.ts';
import type { Phase } from './stages.ts';

export interface Action {
  phase: Phase;
  plan: ApiPlan | null;
  job: ApiJob | null;
  refusal: Refusal | null;
  go: () => void;
  cancel: () => void;
}

/** Takes an operation through its stages. Another operation, or another role, is checked anew. */
export function useAction(operation: ApiOperation, role: string | null): Action {
  const [plan, setPlan] = useState<ApiPlan | null>(null);
  const [job, setJob] = useState<ApiJob | null>(null);
  const [starting, setStarting] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const asked = JSON.stringify(operation);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the same operation is another object; the role decides the answer.
  useEffect(() => {
    let current = true;
    setPlan(null);
    setRefusal(null);
    send<ApiPlan>('POST', 'api/operations/plan', operation)
      .then((answer) => current && setPlan(answer))
      .catch((error) => current && setRefusal(asRefusal(error)));
    return () => {
      current = false;
    };
  }, [asked, role]);

  const id = job?.id;
  useEffect(() => {
    if (id === undefined) return;
    return followJob(id, setJob);
  }, [id]);

  const go = () => {
    setStarting(true);
    setRefusal(null);
    send<ApiJob>('POST', 'api/operations', operation)
      .then(setJob)
      .catch((error) => setRefusal(asRefusal(error)))
      .finally(() => setStarting(false));
  };
  const cancel = () => {
    if (id === undefined) return;
    send<ApiJob>('POST', `api/jobs/${id}/cancel`)
      .then(setJob)
      .catch((error) => setRefusal(asRefusal(error)));
  };
  return { phase: phaseOf(plan, job, starting, refusal), plan, job, refusal, go, cancel };
}

function phaseOf(
  plan: ApiPlan | null,
  job: ApiJob | null,
  starting: boolean,
  refusal: Refusal | null,
): Phase {
  if (job) return job.state === 'running' ? 'running' : job.state === 'done' ? 'done' : 'failed';
  if (starting) return 'starting';
  if (plan === null) return refusal ? 'refused' : 'checking';
  if (!plan.allowed) return 'refused';
  return refusal ? 'failed' : 'planned';
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
