import { kernelCheck } from './kernel-setting.ts';

export const somaxconn = kernelCheck('somaxconn', 'net.core.somaxconn', 'warning');
