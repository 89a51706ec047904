/** The stages that every action goes through, and which is under way. Pure. */
export type Phase = 'checking' | 'refused' | 'planned' | 'starting' | 'running' | 'done' | 'failed';

const stages = ['Check', 'Approve', 'Check again', 'Act', 'Verify'] as const;
export type StageState = 'over' | 'now' | 'failed' | 'later';

/** @param started whether the agent took it on: what fails before failed its second check. */
export function stagesAt(phase: Phase, started: boolean): { name: string; state: StageState }[] {
  const at = positionOf(phase, started);
  const failed = phase === 'refused' || phase === 'failed';
  return stages.map((name, index) => ({
    name,
    state: index < at ? 'over' : index > at ? 'later' : failed ? 'failed' : 'now',
  }));
}

function positionOf(phase: Phase, started: boolean): number {
  switch (phase) {
    case 'checking':
    case 'refused':
      return 0;
    case 'planned':
      return 1;
    case 'starting':
      return 2;
    case 'running':
      return 3;
    case 'failed':
      return started ? 3 : 2;
    case 'done':
      return 5;
  }
}
