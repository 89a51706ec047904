import { stringify } from 'yaml';
import { hostPort, isLoopback } from '../../spec/address.ts';
import type { Spec } from '../../spec/spec.ts';
import { TargetRefused } from '../errors.ts';
import { alertRules } from '../monitoring/alerts.ts';
import type { Target, TargetInput } from '../target.ts';

/** A configuration for Prometheus that asks every agent for /metrics, alerting rules, and the token that agents want. */
export const prometheusTarget: Target = {
  name: 'prometheus',
  summary: 'scrape configuration and alerting rules for Prometheus',
  options: [{ name: 'interval', about: 'seconds between two scrapes', default: '5' }],
  render(input) {
    const { spec, secrets } = input;
    const interval = Number(input.options['interval']);
    if (!Number.isInteger(interval) || interval < 1 || interval > 120) {
      throw TargetRefused(
        `interval: found '${input.options['interval']}'; a whole number of seconds from 1 to 120`,
        { hint: 'Beyond two minutes Prometheus takes a figure for stale between two scrapes.' },
      );
    }
    const rules = `holdfast-${spec.name}.rules.yml`;
    const token = `holdfast-${spec.name}.token`;
    return [
      { name: 'prometheus.yml', text: configuration(input, rules, token, interval), secret: false },
      { name: rules, text: alertRules(spec), secret: false },
      { name: token, text: `${secrets.apiToken}\n`, secret: true },
    ];
  },
};

function configuration(input: TargetInput, rules: string, token: string, interval: number): string {
  const { spec } = input;
  const document = {
    rule_files: [rules],
    scrape_configs: [
      {
        job_name: `holdfast-${spec.name}`,
        scrape_interval: `${interval}s`,
        scrape_timeout: `${interval}s`,
        ...(spec.agent.tls === null ? {} : { scheme: 'https', tls_config: { ca_file: spec.agent.tls.ca } }),
        metrics_path: '/metrics',
        authorization: { type: 'Bearer', credentials_file: token },
        static_configs: [{ targets: addressesOf(input) }],
      },
    ],
  };
  return [
    `# Prometheus for ${spec.name}, made by holdfast: a configuration of its own, or parts for yours.`,
    `# File names are relative to this file's folder. ${token} must be readable by the user that runs Prometheus,`,
    '# and by nobody else. Where alerts are sent is yours to add (alerting: alertmanagers).',
    stringify(document, { lineWidth: 0 }),
  ].join('\n');
}

function addressesOf({ spec, host }: TargetInput): string[] {
  const { bind, port } = spec.agent;
  const beyond = bind.some((address) => !isLoopback(address));
  if (beyond) {
    const hosts = spec.hosts.filter(({ id }) => host === null || id === host);
    return hosts.map(({ address }) => hostPort(address, port));
  }
  if (spec.hosts.length > 1 && host === null) throw notReachable(spec);
  return [hostPort(bind.find(isLoopback) ?? '127.0.0.1', port)];
}

function notReachable({ agent, hosts }: Spec): Error {
  const named = hosts.map(({ id }) => id).join(', ');
  return TargetRefused(
    `agent.bind is ${agent.bind.join(', ')}: Prometheus can't reach the agents of ${named} from outside`,
    {
      hint: 'Add agent: { bind: 0.0.0.0 } and security.secret to the spec; or render with --host for a Prometheus on each host.',
    },
  );
}
