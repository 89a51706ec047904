/** The drills that may be asked for: those that need one host, and none that breaks holdfast itself. */
export interface DrillScenario {
  name: string;
  about: string;
}

const underLoad = 'a primary and two replicas under load';

const drills: readonly (readonly [name: string, given: string, when: string])[] = [
  ['replica-crash', underLoad, 'a replica is killed'],
  ['primary-crash', underLoad, 'the primary is killed'],
  ['primary-hang', underLoad, 'the primary hangs: its process lives and answers nobody (SIGSTOP)'],
  ['slow-command', underLoad, 'a client sends a command that takes the primary seconds'],
  [
    'stopped-process',
    `${underLoad} through one gate`,
    'a replica, a Sentinel and the gate are stopped (SIGSTOP), one after the other',
  ],
  ['two-of-three', underLoad, 'the primary and a replica are killed in the same moment'],
  ['sentinel-crash', 'three Sentinels that watch a primary under load', 'one Sentinel is killed'],
  [
    'gate-crash',
    'clients that are connected through one gate, which has run for ten seconds',
    'the gate is killed',
  ],
  ['all-crash', underLoad, 'every process is killed, the agent too, and all is started again'],
  [
    'empty-primary',
    'a primary and two replicas that hold data, none of which may be promoted',
    'the files of the primary are deleted and it dies',
  ],
  ['switchover', underLoad, 'the primary is moved on purpose'],
  ['rolling-restart', underLoad, 'every member is restarted, one after the other'],
];

export const drillScenarios: readonly DrillScenario[] = drills.map(([name, given, when]) => ({
  name,
  about: `Given ${given}: when ${when}.`,
}));
