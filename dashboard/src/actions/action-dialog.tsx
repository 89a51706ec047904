import type { ApiOperation, ApiPlan } from '../../../src/api/jobs.ts';
import { usePage } from '../data/page-state.ts';
import { Alert, Waiting } from '../parts/card.tsx';
import { closeDialog, Dialog } from '../parts/dialog.tsx';
import { Sign } from '../parts/sign.tsx';
import { isAfter, verdictOf, wordsOf } from './describe.ts';
import { JobSteps } from './job-steps.tsx';
import { Options } from './options.tsx';
import { SignIn } from './sign-in.tsx';
import { type StageState, stagesAt } from './stages.ts';
import { type Action, mayGo, useAction } from './use-action.ts';

interface Props {
  operation: ApiOperation;
  onChange: (operation: ApiOperation) => void;
  onClose: () => void;
}

/** One action from its check to its end. */
export function ActionDialog({ operation, onChange, onClose }: Props) {
  const role = usePage(({ session }) => session?.role ?? null);
  const isSignedIn = usePage(({ session }) => (session?.until ?? null) !== null);
  const action = useAction(operation, role);
  const title = wordsOf(operation).title;
  const { job } = action;
  const view = usePage(({ view: each }) => each);
  const isSeen = view !== null && job !== null && isAfter(view, job);
  const phase = action.phase === 'done' && !isSeen ? 'verifying' : action.phase;
  return (
    <Dialog title={title} onClose={onClose}>
      <ol className="stages" aria-label="Stages">
        {stagesAt(phase).map(({ name, state }) => (
          <li key={name} className={state} aria-current={state === 'now' ? 'step' : undefined}>
            <StageSign state={state} />
            {name}
            {state === 'failed' && <span className="unseen"> failed</span>}
          </li>
        ))}
      </ol>
      {role === 'operate' ? (
        <Body operation={operation} action={{ ...action, phase }} isSeen={isSeen} onChange={onChange} />
      ) : (
        <SignIn
          why={
            isSignedIn
              ? 'You are signed in with the role read, which may look and not act. Sign in with a token of the role operate.'
              : 'Whatever changes something needs a token of the role operate.'
          }
        />
      )}
    </Dialog>
  );
}

interface BodyProps extends Omit<Props, 'onClose'> {
  action: Action;
  /** What is known of the deployment is from after the end. */
  isSeen: boolean;
}

function Body({ operation, action, isSeen, onChange }: BodyProps) {
  const { phase, plan, job, refusal, go, cancel } = action;
  const { go: goWord, grave } = wordsOf(operation);
  const view = usePage(({ view: each }) => each);
  const isOpen = phase === 'checking' || phase === 'planned' || phase === 'refused';
  const verdict = job && isSeen && view ? verdictOf(operation, job, view) : null;
  return (
    <>
      {isOpen && view && <Options operation={operation} view={view} onChange={onChange} />}
      {phase === 'checking' && !plan && <Waiting what="It is checked whether this may be done." lines={3} />}
      {plan && !job && <PlanText plan={plan} hasChanged={action.hasChanged} />}
      {refusal && refusal.message !== plan?.why && (
        <Alert title={refusal.message}>{refusal.hint && <p>{refusal.hint}</p>}</Alert>
      )}
      {job && <JobSteps job={job} />}
      {job?.endedAt != null && !isSeen && <Waiting what="It is looked at what came of it." lines={1} />}
      {verdict && (
        <p className={`verdict ${verdict.good ? 'good' : 'warn'}`} role="status">
          <Sign tone={verdict.good ? 'good' : 'warn'} />
          {verdict.text}
        </p>
      )}
      <div className="dialog-end">
        {job?.state === 'running' && job.cancellable && (
          <button type="button" className="danger" onClick={cancel}>
            Give it up
          </button>
        )}
        <button type="button" onClick={closeDialog}>
          {job && job.state === 'running' ? 'Close, it goes on' : 'Close'}
        </button>
        {!job && (
          <button
            type="button"
            className={`main${grave ? ' grave' : ''}`}
            aria-disabled={!mayGo(phase)}
            onClick={go}
          >
            {goWord}
          </button>
        )}
      </div>
    </>
  );
}

function PlanText({ plan, hasChanged }: { plan: ApiPlan; hasChanged: boolean }) {
  return (
    <div className="stack">
      <div role="status">
        {hasChanged && (
          <p className="verdict warn">
            <Sign tone="warn" />
            The deployment has changed: {plan.basis}. This is the plan of now.
          </p>
        )}
      </div>
      {!plan.allowed && (
        <Alert title={plan.why ?? 'This may not be done now.'}>{plan.hint && <p>{plan.hint}</p>}</Alert>
      )}
      {plan.will.length > 0 && (
        <section>
          <h3>What will happen</h3>
          <ol className="sentences">
            {plan.will.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ol>
        </section>
      )}
      {plan.warnings.length > 0 && (
        <section>
          <h3>Know before</h3>
          <ul className="sentences warn">
            {plan.warnings.map((text) => (
              <li key={text}>
                <Sign tone="warn" /> {text}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function StageSign({ state }: { state: StageState }) {
  if (state === 'over') return <Sign tone="good" />;
  if (state === 'failed') return <Sign tone="bad" />;
  return <Sign tone={state === 'now' ? 'accent' : 'off'} />;
}
