import { kernelCheck } from './kernel-setting.ts';

export const swappiness = kernelCheck('swappiness', 'vm.swappiness', 'warning');
