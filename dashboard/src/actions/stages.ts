/** The stages that every action goes through, and which is under way. Pure. */
export type Phase =
  | 'checking'
  | 'refused'
  | 'planned'
  | 'starting'
  /** It was approved, and the second check refused it. */
  | 'not-begun'
  | 'running'
  /** It is done, and what is known of the deployment is from before. */
  | 'verifying'
  | 'done'
  | 'failed';

const stages = ['Check', 'Approve', 'Check again', 'Act', 'Verify'] as const;
export type StageState = 'over' | 'now' | 'failed' | 'later';

export function stagesAt(phase: Phase): { name: string; state: StageState }[] {
  const at = positionOf(phase);
  const failed = phase === 'refused' || phase === 'not-begun' || phase === 'failed';
  return stages.map((name, index) => ({
    name,
    state: index < at ? 'over' : index > at ? 'later' : failed ? 'failed' : 'now',
  }));
}

function positionOf(phase: Phase): number {
  switch (phase) {
    case 'checking':
    case 'refused':
      return 0;
    case 'planned':
      return 1;
    case 'starting':
    case 'not-begun':
      return 2;
    case 'running':
    case 'failed':
      return 3;
    case 'verifying':
      return 4;
    case 'done':
      return 5;
  }
}
