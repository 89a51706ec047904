import { kernelCheck } from './kernel-setting.ts';

export const synBacklog = kernelCheck('syn-backlog', 'net.ipv4.tcp_max_syn_backlog', 'warning');
