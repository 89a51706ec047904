import { kernelCheck } from './kernel-setting.ts';

export const overcommitMemory = kernelCheck('overcommit-memory', 'vm.overcommit_memory', 'critical');
