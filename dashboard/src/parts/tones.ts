/** How good each state is. What is not listed, as of a later agent, is shown without a judgement. */
import type { Tone } from './sign.tsx';

const tones = new Map<string, Tone>([
  ...(['healthy', 'up', 'open', 'ok', 'done', 'kept', 'good', 'following'] as const).map(
    (state) => [state, 'good'] as const,
  ),
  ...(
    [
      'degraded',
      'starting',
      'loading',
      'syncing',
      'disconnected',
      'busy',
      'holding',
      'tilt',
      'unassigned',
      'warning',
      'paused',
      'cancelled',
      'waiting',
      'stopped',
      'cut-over',
    ] as const
  ).map((state) => [state, 'warn'] as const),
  ...(
    ['down', 'hung', 'unreachable', 'failed', 'refused', 'refusing', 'critical', 'missing', 'broken'] as const
  ).map((state) => [state, 'bad'] as const),
  ...(['running', 'copying', 'comparing', 'connecting', 'removing'] as const).map(
    (state) => [state, 'accent'] as const,
  ),
]);

export function toneOf(state: string): Tone {
  return tones.get(state) ?? 'off';
}

/** Events that a person should look at, by how bad they are. */
const alarming = new Map<string, Tone>([
  ...(
    [
      'failed',
      'refused',
      'data-damaged',
      'data-missing',
      'disk-full',
      'memory-full',
      'backup-failed',
      'restore-failed',
      'change-failed',
    ] as const
  ).map((kind) => [kind, 'bad'] as const),
  ...(['exited', 'killed', 'backup-not-good', 'stranger', 'action-failed'] as const).map(
    (kind) => [kind, 'bad'] as const,
  ),
  ...(
    ['election', 'not-elected', 'selected', 'drift', 'tilt', 'replica-ineligible', 'slow-command'] as const
  ).map((kind) => [kind, 'warn'] as const),
  ...(
    [
      'memory-scarce',
      'failover-asked',
      'failover-aborted',
      'given-up',
      'clock-step',
      'paused',
      'worker-restarted',
    ] as const
  ).map((kind) => [kind, 'warn'] as const),
  ...(['promoted', 'primary', 'switchover', 'failover', 'restored', 'backup', 'ready'] as const).map(
    (kind) => [kind, 'accent'] as const,
  ),
]);

export function toneOfEvent(kind: string): Tone {
  return alarming.get(kind) ?? 'off';
}
