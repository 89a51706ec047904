import { program } from '../installed.ts';
import type { RenderedFile } from '../target.ts';
import { hardeningOf } from '../targets/systemd.ts';
import { type AloneGate, configText, openFiles } from './alone-gate.ts';

/**
 * A unit for a gate without an agent. systemd hands it its configuration and passwords as credentials, so the files may
 * belong to root alone, and the gate runs as a user that exists only while it does.
 */
export function gateUnit(gate: AloneGate): RenderedFile[] {
  const { name, files, config } = gate;
  const configFile = `/etc/holdfast/${name}-gate.json`;
  const credentials = [['gate.json', configFile], ...files.map((each) => [each.name, each.path])];
  const unit = [
    `# A gate in front of ${name}, made by holdfast. For /etc/systemd/system; its configuration is ${configFile}.`,
    '[Unit]',
    `Description=holdfast: gate in front of the Redis deployment ${name}`,
    'After=network-online.target',
    'Wants=network-online.target',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    'DynamicUser=yes',
    // The path is everything behind the colon, unquoted; a percent sign is a specifier.
    ...credentials.map(([id, path]) => `LoadCredential=${id}:${(path as string).replaceAll('%', '%%')}`),
    // systemd puts the folder's path in for the variable.
    `ExecStart=${program} gate --config \${CREDENTIALS_DIRECTORY}/gate.json`,
    'Restart=always',
    'RestartSec=1',
    '# On SIGTERM it takes nobody in, lets every client finish, and ends.',
    'TimeoutStopSec=1min',
    `LimitNOFILE=${openFiles(gate)}`,
    'LimitCORE=0',
    'Environment=NO_COLOR=1',
    '',
    ...hardeningOf([]),
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
  const names = Object.fromEntries(files.map((file) => [file.key, file.name]));
  return [
    { name: `system/holdfast-gate-${name}.service`, text: unit, secret: false },
    { name: `holdfast/${name}-gate.json`, text: configText(config, names), secret: true },
  ];
}
