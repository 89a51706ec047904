/** `holdfast mirror`: how the copies elsewhere are, and what is asked of them. */
import type { Command } from 'commander';
import type { MirrorStatus } from '../agent/mirrors/mirror-keeper.ts';
import { keysUnder } from '../base/key-prefixes.ts';
import { loadSecrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { askAgent } from './ask-agent.ts';
import { type VerifyChoices, verifySides, withVerifyChoices } from './compare-sides.ts';
import { confirm } from './confirm.ts';
import { BadOption } from './errors.ts';
import { openSide } from './migrate-access.ts';
import { printMirrors, printRequestMirrors } from './mirror-table.ts';
import type { Output } from './output.ts';
import { openTarget } from './target.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface MirrorOptions extends CommonOptions {
  stateDir?: string;
}

type DiffOptions = MirrorOptions & VerifyChoices;

export function mirrorVerb(): Command {
  const command = verb('mirror', 'copies elsewhere that follow this deployment', [
    ['holdfast mirror status', 'how far each is behind'],
    ['holdfast mirror diff dr', 'whether it holds the same, key by key'],
  ]);
  for (const each of [statusVerb(), pausing('pause'), pausing('resume'), resyncVerb(), diffVerb()])
    command.addCommand(each);
  return command;
}

function statusVerb(): Command {
  return verb('status', 'show the mirrors, and how far each is behind; exit 3 when one does not follow', [
    ['holdfast mirror status --json', 'for programs'],
  ])
    .argument(...specArgument)
    .addOption(stateDirOption())
    .action(
      action<MirrorOptions>(async (output, [file = ''], options) => {
        const { agent } = await openTarget(file, options);
        const { mirrors, requestMirrors } = await agent.status();
        if (mirrors.length + requestMirrors.length === 0) output.line('the spec has no mirrors');
        printMirrors(output, mirrors);
        printRequestMirrors(output, requestMirrors);
        output.data([...mirrors, ...requestMirrors]);
        const isWell = requestMirrors.every(({ state }) => state === 'open');
        return isWell && mirrors.every(({ state }) => usual.has(state)) ? 0 : 3;
      }, 'any-host'),
    );
}

const usual = new Set<MirrorStatus['state']>(['following', 'paused', 'elsewhere']);

function pausing(what: 'pause' | 'resume'): Command {
  const [summary, meaning] =
    what === 'pause'
      ? ['stop writing to a mirror', 'until holdfast mirror resume']
      : ['go on with a mirror that was paused', 'from where it stands'];
  return verb(what, summary, [[`holdfast mirror ${what} dr`, meaning]])
    .argument('<name>', 'of a mirror in the spec')
    .argument(...specArgument)
    .addOption(stateDirOption())
    .action(
      action<MirrorOptions>(async (output, [name = '', file = ''], options) => {
        const body = { name, to: what };
        const result = await askAgent<{ paused: boolean; changed: boolean }>(
          ...([output, file, options, 'mirror', body] as const),
        );
        const state = result.paused ? 'paused' : 'active';
        output.line(`mirror ${name} is ${result.changed ? 'now' : 'already'} ${state}`);
        output.data(result);
      }, 'every-host'),
    );
}

function resyncVerb(): Command {
  return verb('resync', 'empty the target of a mirror, and fill it anew', [
    ['holdfast mirror resync dr', 'after asking: everything that the target holds goes'],
    ['holdfast mirror resync dr --yes', 'without asking'],
  ])
    .argument('<name>', 'of a mirror in the spec')
    .argument(...specArgument)
    .option('-y, --yes', 'do not ask')
    .addOption(stateDirOption())
    .action(
      action<MirrorOptions & { yes?: boolean }>(async (output, [name = '', file = ''], options) => {
        const { spec } = await openTarget(file, options);
        const to = spec.mirrors.find((mirror) => mirror.name === name)?.to ?? 'its target';
        const question = `Everything that ${to} holds is deleted, and copied anew. Go on?`;
        if (!(await confirm(output, question, options.yes === true))) return 1;
        const result = await askAgent(output, file, options, 'mirror', { name, to: 'resync' });
        output.line(`mirror ${name} is filled anew: holdfast mirror status shows how far it is`);
        output.data(result);
        return 0;
      }),
    );
}

function diffVerb(): Command {
  return withVerifyChoices(
    verb('diff', 'compare a mirror with the deployment, key by key; exit 1 when they differ', [
      ['holdfast mirror diff dr', 'while both go on: what still changes is looked at again'],
      ['holdfast mirror diff dr --repair', 'the deployment’s value where they differ'],
      ['holdfast mirror diff redis-2', 'of topology: mirror, a member with the one that leads'],
    ])
      .argument('<name>', 'of a mirror in the spec; with topology: mirror, of a member that follows')
      .argument(...specArgument)
      .addOption(stateDirOption()),
  ).action(
    action<DiffOptions>(async (output, [name = '', file = ''], options) => {
      const { targetOf } = await import('../mirror/sides.ts');
      const { spec } = await openTarget(file, options);
      if (spec.mirror !== null && spec.members.some(({ id }) => id === name))
        return await diffMember(output, name, file, options);
      const mirror = [...spec.mirrors, ...spec.gate.mirrors].find((each) => each.name === name);
      if (mirror === undefined) {
        throw BadOption(`${file} has no mirror ${name}`, {
          hint: `It has ${comparable(spec).join(', ') || 'none'}.`,
        });
      }
      const source = await openSide(file, options);
      const sides = { source, target: targetOf(mirror) };
      return await verifySides(output, sides, options, { isCompared: keysUnder(mirror.prefixes) });
    }),
  );
}

function comparable({ mirrors, gate, mirror, members }: Spec): string[] {
  const followers = mirror === null ? [] : members.map(({ id }) => id);
  return [...[...mirrors, ...gate.mirrors].map((each) => each.name), ...followers];
}

/** A standalone member with the one that leads. What differs is written again by the latter, and comes by the stream. */
async function diffMember(
  output: Output,
  member: string,
  file: string,
  options: DiffOptions,
): Promise<number> {
  const { comparedMember } = await import('../mirror/compare-member.ts');
  const { agent, spec, paths } = await openTarget(file, options);
  const { primary: lead } = await agent.status();
  if (lead === null || lead === member) {
    throw BadOption(lead === null ? 'no member leads now' : `${member} leads`, {
      hint: 'Name one that follows; holdfast status shows who does.',
    });
  }
  const sides = await comparedMember(spec, await loadSecrets(spec, paths.secret), { member, lead });
  try {
    return await verifySides(output, sides, options, sides.scope);
  } finally {
    sides.close();
  }
}
