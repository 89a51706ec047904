import type { Check } from './check.ts';
import { cgroupMemory } from './host/cgroup-memory.ts';
import { clockSteps } from './host/clock-steps.ts';
import { disk } from './host/disk.ts';
import { fileSystem } from './host/file-system.ts';
import type { HostFacts } from './host/host-facts.ts';
import { hugePages } from './host/huge-pages.ts';
import { memory } from './host/memory.ts';
import { openFiles } from './host/open-files.ts';
import { overcommitMemory } from './host/overcommit-memory.ts';
import { processors } from './host/processors.ts';
import { somaxconn } from './host/somaxconn.ts';
import { swap } from './host/swap.ts';
import { swappiness } from './host/swappiness.ts';
import { synBacklog } from './host/syn-backlog.ts';
import { time } from './host/time.ts';

export const hostChecks: readonly Check<HostFacts>[] = [
  overcommitMemory,
  hugePages,
  swappiness,
  swap,
  memory,
  cgroupMemory,
  disk,
  fileSystem,
  openFiles,
  somaxconn,
  synBacklog,
  time,
  clockSteps,
  processors,
];
