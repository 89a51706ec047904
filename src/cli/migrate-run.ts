/** Runs a migration in the foreground: from its plan, so that it does not matter who began it. */
import { askModules } from '../backup/server-modules.ts';
import { describeDuration } from '../base/duration.ts';
import { describeSize } from '../base/size.ts';
import { whyNotBack } from '../migrate/back/can-follow-back.ts';
import { finiteSource } from '../migrate/files/file-feed.ts';
import type { Finding } from '../migrate/finding.ts';
import { type Choice, chooseMethod, type Method, replicationRefusal } from '../migrate/method.ts';
import { Migration } from '../migrate/migration.ts';
import { isFile, type MigrationPaths, type Plan } from '../migrate/plan.ts';
import { judge, missingDbs, type SourceFacts, type TargetFacts, targetProbes } from '../migrate/preflight.ts';
import type { Progress, SourceProgress } from '../migrate/progress.ts';
import { askRights } from '../migrate/rights.ts';
import { keyLike, sourceProbes } from '../migrate/source-rights.ts';
import { targetOfVersionText } from '../rdb/target.ts';
import { Link, type LinkOptions } from '../redis/link.ts';
import { infoForFacts, serverFacts } from '../redis/server-facts.ts';
import type { FiniteSource } from '../stream/feed.ts';
import { KeyPositions } from '../stream/key-positions.ts';
import { findSource, type SourceAddress } from '../stream/source-address.ts';
import { type Side, withAccessHint } from './access-hint.ts';
import { interruptible } from './interrupt.ts';
import { bucketsOf, sourceAddress, targetAsSource, targetPlace } from './migrate-access.ts';
import { dataFiles, factsOfFile } from './migrate-files.ts';
import type { Output } from './output.ts';
import { ProgressLine } from './progress-line.ts';

const askMs = 10_000;
type Call = (command: string, ...args: Parameters<Link['call']>[0][1][]) => Promise<unknown>;

export interface Preflight {
  choice: Choice;
  sources: SourceFacts[];
  target: TargetFacts;
  findings: Finding[];
}

/** What all that takes part is like, and what follows. @throws REDIS_UNREACHABLE, REDIS_REFUSED, BAD_OPTION */
export async function preflight(plan: Pick<Plan, 'sources' | 'target'>, method: Method): Promise<Preflight> {
  // All that is named is looked at before anyone is asked.
  const named = await openSources(plan);
  const place = await targetPlace(plan.target);
  const sources: SourceFacts[] = [];
  const wanted = new Set<number>();
  for (const [index, at] of named.entries()) {
    const source = plan.sources[index]!;
    if (at.kind === 'finite') {
      sources.push(await factsOfFile(at));
      continue;
    }
    const side = { what: 'source', name: source.url } as const;
    const {
      address: host,
      port,
      credentials,
      tls,
    } = await findSource(at).catch((error: unknown) => {
      throw withAccessHint(error, side);
    });
    const facts = await asked({ endpoint: { host, port }, credentials, tls }, side, async (call, link) => ({
      ...serverFacts(String(await call(...infoForFacts))),
      name: source.url,
      refusal: await replicationRefusal(call, credentials?.username || undefined),
      rights: await askRights(link, sourceProbes(keyLike(source.match)), credentials?.username || undefined),
    }));
    const moves = new Map(source.dbs);
    for (const { db } of facts.databases) wanted.add(moves.get(db) ?? db);
    sources.push(facts);
  }
  const [{ match, prefix }] = plan.sources as [Plan['sources'][number]];
  const target = await asked(place, { what: 'target', name: place.name }, async (call, link) => ({
    ...serverFacts(String(await call(...infoForFacts))),
    name: place.name,
    missingDbs: await missingDbs([...wanted], call),
    rights: await askRights(
      link,
      targetProbes(keyLike(match, prefix)),
      place.credentials?.username || undefined,
    ),
  }));
  const servers = sources.filter((_, index) => named[index]!.kind !== 'finite');
  const types = [...new Set(plan.sources.flatMap((source) => source.types))];
  const choice = chooseMethod(method, servers, types);
  const planned = { ...plan, method: choice.method, isAlone: sources.length === 1 && target.keys === 0 };
  const wantedRights = { method: choice.method, followsBack: whyNotBack(planned) === null };
  return { choice, sources, target, findings: judge(sources, target, wantedRights) };
}

/** In the plan's order. @throws what is wrong with an address or a file */
async function openSources({
  sources,
  target,
}: Pick<Plan, 'sources' | 'target'>): Promise<(SourceAddress | FiniteSource)[]> {
  const s3 = await bucketsOf(target);
  return await Promise.all(
    sources.map(async (source) => {
      if (!isFile(source.url)) return sourceAddress(source.url, source);
      return finiteSource(source.url, await dataFiles(source.url, s3));
    }),
  );
}

/** Until it is stopped, finished or aborted. @param withoutGates of a cut-over, which are gone for good. @throws what a stream can't get over, MIGRATION_RUNS */
export async function runMigration(
  output: Output,
  paths: MigrationPaths,
  plan: Plan,
  withoutGates: readonly string[] = [],
): Promise<void> {
  const target = await targetPlace(plan.target);
  const { loads, positions } = await asked(target, { what: 'target', name: target.name }, async (call) => {
    const { product, version } = serverFacts(String(await call(...infoForFacts)));
    return {
      loads: targetOfVersionText(`${product} ${version}`, await askModules(call)),
      positions: new KeyPositions(await call('COMMAND')),
    };
  });
  const line = new ProgressLine(output);
  let phase = '';
  let notWritten: string | null = null;
  const onProgress = (progress: Progress, unwritten: string | null) => {
    if (unwritten !== null && unwritten !== notWritten) {
      line.done();
      const warning = output.colors.yellow('warning:');
      output.note(
        `${warning} how far it is can't be written, and migrate status does not know it: ${unwritten}`,
      );
    }
    notWritten = unwritten;
    const now = `${progress.phase} ${progress.sources.map((source) => source.phase).join(' ')}`;
    if (now === phase) return line.show(() => progress.sources.map(describeSource).join('; '));
    phase = now;
    line.done();
    for (const source of describeProgress(progress)) output.note(source);
  };
  const sources = await openSources(plan);
  const migration = new Migration({
    ...{ plan, paths, sources, target, loads, positions, onProgress },
    ...{ targetAsSource: await targetAsSource(plan.target), withoutGates },
  });
  const how = await interruptible((signal) => migration.run(signal));
  line.done();
  output.data({ ended: how });
  if (how === 'stopped') output.line('stopped: holdfast migrate resume goes on from here');
  else output.line(how);
}

/** A line for each source; behind a cut-over one of the old side. */
export function describeProgress({ phase, sources, oldSide, notFollowed, notMoved }: Progress): string[] {
  if (phase !== 'cut-over') return sources.map(describeSource);
  const held = [
    ...notMoved.map((each) => `clients of a gate wait, which could not be moved: ${each}`),
    ...sources.flatMap(({ source, problem }) => (problem === null ? [] : [`${source}: ${problem}`])),
  ];
  if (oldSide !== null)
    return [...held, describeSource(oldSide).replace(/^the new side/, 'the old side follows')];
  return notFollowed === null ? held : [...held, `the old side does not follow: ${notFollowed}`];
}

/** One line of what is going on with a source. */
export function describeSource(source: SourceProgress): string {
  const { phase, keys, bytes, totalBytes, bytesPerSecond, secondsLeft, lagBytes, lagSeconds, problem } =
    source;
  const why = problem !== null && phase !== 'following' && phase !== 'done' ? ` (${problem})` : '';
  const head = `${source.source}: ${phase}${why}`;
  const left = secondsLeft === null ? '' : `, about ${describeDuration(secondsLeft * 1000)} left`;
  if (phase === 'comparing') return `${head}, ${keys} keys are copied${left}`;
  if (phase === 'copying') {
    const of = totalBytes === null ? '' : ` of ${describeSize(totalBytes)}`;
    return `${head}, ${keys} keys, ${describeSize(bytes)}${of}, ${describeSize(bytesPerSecond)}/s${left}`;
  }
  if (phase === 'done') {
    const besides = problem === null ? '' : `; ${problem}`;
    const applied = source.commands === 0 ? '' : `, ${source.commands} commands`;
    return `${head}, ${keys} keys, ${describeSize(bytes)}${applied}${besides}`;
  }
  if (phase === 'following' && lagBytes === null) return problem === null ? head : `${head}; ${problem}`;
  if (phase !== 'following' || lagBytes === null) return head;
  return `${head}, ${source.commands} commands applied, ${describeSize(lagBytes)} or ${lagSeconds} s behind`;
}

/** @throws as `work` does, with whose answer it is, and what to do about a password and TLS */
async function asked<T>(
  place: LinkOptions,
  side: Side,
  work: (call: Call, link: Link) => Promise<T>,
): Promise<T> {
  const link = new Link({ ...place, timeoutMs: askMs });
  try {
    return await work((command, ...args) => link.call([command, ...args.map((arg) => arg ?? '')]), link);
  } catch (error) {
    throw withAccessHint(error, { ...side, asksForTls: place.tls !== undefined });
  } finally {
    link.close();
  }
}
