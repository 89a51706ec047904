import { chmod } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { makeFirstSecret } from '../agent/state/first-secret.ts';
import { stateDirOf, statePaths } from '../agent/state/paths.ts';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import { defineError } from '../base/errors.ts';
import { readSecretFile } from '../base/private-file.ts';
import { TargetRefused } from '../render/errors.ts';
import { aloneGate, isGateFile, type NamedFile, withoutPasswords } from '../render/gate-alone/alone-gate.ts';
import { renderGateAlone } from '../render/gate-alone/targets.ts';
import type { RenderedFile } from '../render/target.ts';
import { targetNamed, targetOptions, targets } from '../render/targets.ts';
import { loadSpec } from '../spec/load.ts';
import { loadSecrets, placeholderSecrets } from '../spec/secrets.ts';
import type { Output } from './output.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

const WouldOverwrite = defineError('WOULD_OVERWRITE', 1);
const UnknownRenderHost = defineError('UNKNOWN_RENDER_HOST', 2);

interface RenderOptions extends CommonOptions {
  out?: string;
  host?: string;
  stateDir?: string;
  yes?: boolean;
  set: string[];
  helm?: boolean;
}

/**
 * `holdfast render TARGET [SPEC]`. What is printed has placeholders for passwords, since terminals and redirected files
 * are read by others. With `--out` the files have the deployment's real ones, the same that `up` uses, mode 0600.
 */
export function renderVerb(): Command {
  const list = targets.flatMap(({ name, summary, options = [] }) => [
    `  ${name.padEnd(12)} ${summary}`,
    ...options.map((option) => {
      const value = option.default === undefined ? 'needed' : option.default === '' ? 'none' : option.default;
      return `  ${''.padEnd(14)} --set ${`${option.name}=…`.padEnd(18)} ${option.about} (${value})`;
    }),
  ]);
  return verb('render', 'write configuration for other ways to run it', [
    ['holdfast render redis', 'look at what the members would be started with'],
    ['holdfast render haproxy prod.yaml --out /etc/haproxy', 'write files, with the real passwords'],
    [
      'holdfast render systemd gate.json',
      'a gate without an agent: its file for a spec (compose, kubernetes)',
    ],
  ])
    .argument('<target>', targets.map(({ name }) => name).join(', '))
    .argument(...specArgument)
    .option('--out <dir>', 'write files there instead of printing them')
    .option('--host <host>', 'only what this host of the spec runs')
    .option(
      '--set <name=value>',
      'an option of the target, listed below',
      (word, all: string[]) => [...all, word],
      [],
    )
    .option('--helm', 'with kubernetes: a chart instead of plain manifests')
    .option('-y, --yes', 'replace files that are there and differ')
    .addOption(stateDirOption())
    .addHelpText('after', `\nTargets:\n${list.join('\n')}`)
    .action(action(render));
}

async function render(output: Output, args: string[], options: RenderOptions): Promise<void> {
  const [targetName = '', specFile = 'holdfast.yaml'] = args;
  const target = targetNamed(targetName);
  const settings = targetOptions(target, options.helm ? [...options.set, 'helm=true'] : options.set);
  const text = (await readFileIfThere(specFile)) ?? '';
  if (isGateFile(text))
    return renderGate(output, { target: target.name, file: specFile, text, settings }, options);
  const spec = await loadSpec(specFile);
  if (options.host !== undefined && !spec.hosts.some(({ id }) => id === options.host)) {
    const hosts = spec.hosts.map(({ id }) => id).join(', ');
    throw UnknownRenderHost(`the spec has no host '${options.host}'`, { hint: `Its hosts: ${hosts}.` });
  }
  if (spec.mirror !== null && withoutAgents.has(target.name)) {
    throw TargetRefused(
      `${target.name} runs a deployment without agents, and with topology: mirror they run the streams`,
      {
        hint: 'Run it by holdfast up, or render systemd, which does that.',
      },
    );
  }
  const paths = { ...statePaths(stateDirOf(spec.name, options.stateDir)), specFile: path.resolve(specFile) };
  if (options.out !== undefined) await makeFirstSecret(spec, paths);
  const secrets =
    options.out === undefined ? placeholderSecrets(spec) : await loadSecrets(spec, paths.secret);
  const files = target.render({ spec, secrets, paths, host: options.host ?? null, options: settings });
  if (options.out === undefined) print(output, target.name, files);
  else await writeAll(output, path.resolve(options.out), files, options.yes === true);
}

const withoutAgents = new Set(['haproxy', 'monit', 'compose', 'kubernetes', 'aws']);

/** The same for a gate without an agent: its configuration file stands in the place of a spec. */
async function renderGate(
  output: Output,
  given: { target: string; file: string; text: string; settings: Record<string, string> },
  options: RenderOptions,
): Promise<void> {
  const { target, file, text, settings } = given;
  const gate = aloneGate(text, file);
  if (options.out === undefined) {
    const stand = ({ name }: NamedFile) => `<${name}>`;
    print(output, target, renderGateAlone(target, withoutPasswords(gate), settings, stand));
    return;
  }
  const content = ({ path: named }: NamedFile) =>
    readSecretFile(path.resolve(path.dirname(file), named))
      .toString('utf8')
      .replace(/\r?\n$/, '');
  await writeAll(
    output,
    path.resolve(options.out),
    renderGateAlone(target, gate, settings, content),
    options.yes === true,
  );
}

function print(output: Output, target: string, files: readonly RenderedFile[]): void {
  for (const [index, { name, text }] of files.entries()) {
    if (files.length > 1) output.text(`${index > 0 ? '\n' : ''}# ==> ${name} <==`);
    output.text(text.trimEnd());
  }
  output.data({ target, files });
  if (files.some(({ secret }) => secret)) {
    output.note(
      'Passwords are shown as <password of …>; --out DIR writes files with the real ones, mode 0600.',
    );
  }
}

/** All or nothing as far as other people's files go: what differs is found before anything is written. */
async function writeAll(output: Output, folder: string, files: readonly RenderedFile[], replace: boolean) {
  const there = await Promise.all(files.map(({ name }) => readFileIfThere(path.join(folder, name))));
  const differing = files.filter(({ text }, index) => there[index] !== undefined && there[index] !== text);
  if (differing.length > 0 && !replace) {
    const names = differing.map(({ name }) => path.join(folder, name)).join(', ');
    throw WouldOverwrite(`there already, and different: ${names}`, {
      hint: 'Compare them; --yes replaces them, another --out leaves them alone. Nothing was written.',
    });
  }
  const written = [];
  for (const [index, { name, text, secret }] of files.entries()) {
    const file = path.join(folder, name);
    const mode = secret ? 0o600 : 0o644;
    const changed = there[index] !== text;
    if (changed) await writeFileAtomic(file, text, mode);
    else await chmod(file, mode);
    output.line(`${changed ? 'wrote' : 'unchanged'} ${file}`);
    written.push({ file, changed, mode: mode.toString(8) });
  }
  output.data({ files: written });
}
