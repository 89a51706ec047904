import { Fragment } from 'react';
import type { ApiGate, ApiMember, ApiSentinel, ApiView } from '../../../src/api/view.ts';
import { ago, bytes, count, duration, plural } from '../data/format.ts';
import { troubleOf } from '../parts/condition.tsx';
import type { Tone } from '../parts/sign.tsx';
import { toneOf } from '../parts/tones.ts';
import type { Facts } from './picture.tsx';
import type { Box } from './places.ts';

/** What stands in a box: its name, how it is in a word, and up to two lines of figures. */
interface Content {
  title: string;
  state: string;
  tone: Tone;
  lines: readonly string[];
  /** What stands beside its name where there is one line only. */
  brief: string;
  href: string;
}

/** One process (or clients) of the picture, and a link to its page. */
export function BoxShape({ box, view, facts }: { box: Box; view: ApiView; facts: Facts }) {
  const content = contentOf(box, view, facts);
  if (content === null) return null;
  const { x, y, w, h, small, kind } = box;
  const { title, state, tone, lines, brief, href } = content;
  const room = w - 24;
  // A small box has one line; at its end stands what there is room for.
  const end = !small ? state : w >= 180 ? brief : '';
  const titleY = small ? h / 2 : h < 60 ? 19 : 22;
  return (
    <a href={href} className={`box ${kind} ${tone}`}>
      <rect className="body" x={x} y={y} width={w} height={h} rx={kind === 'clients' ? h / 2 : 9} />
      {/* Its name is what stands in it; blanks part the words for those who hear them. */}
      <g transform={`translate(${x + 12} ${y})`}>
        <Mark tone={tone} y={titleY} />
        <text className="name" x="17" y={titleY + 4.5}>
          <Fitted text={title} room={room - 17 - (end === '' ? 0 : widthOf(end) + 6)} px={14} />
        </text>{' '}
        <text className="state" x={room} y={titleY + 4.5} textAnchor="end">
          {end}
        </text>
        {!small &&
          linesIn(lines, h < 80 ? 1 : 2, mostIn(room, linePx)).map((line, index) => (
            <Fragment key={line}>
              {' '}
              <text className="line" y={titleY + (h < 60 ? 21 : 26) + 19 * index}>
                <Fitted text={line} room={room} px={linePx} />
              </text>
            </Fragment>
          ))}
      </g>
    </a>
  );
}

/** The same shapes as of badges, drawn in the picture. */
function Mark({ tone, y }: { tone: Tone; y: number }) {
  if (tone === 'good') return <circle className="mark full" cx="5" cy={y} r="5" />;
  if (tone === 'bad') return <path className="mark" d={`M0 ${y - 5}l10 10M10 ${y - 5}l-10 10`} />;
  if (tone === 'warn') return <path className="mark" d={`M5 ${y - 5.5}L10.5 ${y + 4.5}H-.5z`} />;
  return <circle className="mark" cx="5" cy={y} r="4.5" />;
}

function contentOf({ kind, id }: Box, view: ApiView, facts: Facts): Content | null {
  if (kind === 'clients') return clientsContent(id, view, facts);
  if (kind === 'gate') return gateContent(facts.gates.get(id));
  if (kind === 'member') return memberContent(facts.members.get(id), view);
  return sentinelContent(facts.sentinels.get(id), view);
}

function clientsContent(gateId: string, view: ApiView, { gates }: Facts): Content {
  const gate = gates.get(gateId);
  const clients = gate ? (gate.clients ?? 0) : view.clients.connected;
  const held = gate ? (gate.held ?? 0) : view.clients.held;
  return {
    title: plural(clients, 'client'),
    state: '',
    tone: held > 0 ? 'warn' : 'off',
    lines: [held > 0 ? `${count(held)} held` : clients > 0 ? 'none held' : 'nobody now'],
    brief: '',
    href: '#/gates',
  };
}

function gateContent(gate: ApiGate | undefined): Content | null {
  if (!gate) return null;
  const { read, write } = gate.latency;
  const p99 = Math.max(read?.p99Ms ?? 0, write?.p99Ms ?? 0);
  const ports = gate.replicaPort === null ? `:${gate.port}` : `:${gate.port}, to read :${gate.replicaPort}`;
  const flow = gate.commandsPerSecond === null ? 'not known' : `${count(gate.commandsPerSecond)}/s`;
  return {
    title: gate.id,
    state: gate.state,
    tone: toneOf(gate.state),
    lines: [
      gate.reason ?? (read || write ? `${flow} · p99 ${duration(p99)}` : flow),
      gate.ageMs === null ? ports : `seen ${ago(gate.ageMs)}`,
    ],
    brief: gate.state === 'open' ? flow : gate.state,
    href: `#/gates/${encodeURIComponent(gate.id)}`,
  };
}

function memberContent(member: ApiMember | undefined, view: ApiView): Content | null {
  if (!member) return null;
  const role = view.promoting === member.id ? 'being promoted' : (member.role ?? '');
  const up = member.state === 'up';
  const trouble = troubleOf(member);
  const figures = [
    member.memory === null ? null : bytes(member.memory.usedBytes),
    member.keys === null ? null : plural(member.keys, 'key'),
  ].filter((text) => text !== null);
  return {
    title: member.id,
    state: view.promoting === member.id || up ? role : member.state,
    tone: up && trouble !== null ? 'warn' : toneOf(member.state),
    lines: [
      trouble ?? standing(member),
      sinceWhen(member) ?? (figures.length > 0 ? figures.join(' · ') : `${member.address}:${member.port}`),
    ],
    brief: up ? role : member.state,
    href: `#/members/${encodeURIComponent(member.id)}`,
  };
}

/** In place of figures that are not of now. */
function sinceWhen({ state, stateForMs, ageMs }: ApiMember): string | null {
  if (state === 'up') return null;
  if (stateForMs !== null) return `for ${duration(stateForMs)}`;
  return ageMs === null ? null : `seen ${ago(ageMs)}`;
}

function standing(member: ApiMember): string {
  if (member.state !== 'up') return member.reason ?? 'never seen';
  if (member.ageMs !== null) return `seen ${ago(member.ageMs)}`;
  if (member.role === 'primary') {
    return member.commandsPerSecond === null
      ? 'takes writes'
      : `${count(member.commandsPerSecond)} commands/s`;
  }
  const held = member.eligible === false ? ', not to be promoted' : '';
  if (member.lagBytes === null) return `lag not known${held}`;
  return member.lagBytes === 0 ? `in sync${held}` : `${bytes(member.lagBytes)} behind${held}`;
}

function sentinelContent(sentinel: ApiSentinel | undefined, view: ApiView): Content | null {
  if (!sentinel) return null;
  const agrees = sentinel.names === view.primary;
  // The vote of an election that is not over; that of one before says nothing of now.
  const { voted } = sentinel;
  const vote = voted !== null && voted.epoch > sentinel.epoch ? `voted, epoch ${voted.epoch}` : null;
  const word = sentinel.names === null ? 'names nobody' : `names ${sentinel.names}`;
  const up = sentinel.state === 'up';
  const seen = sentinel.ageMs === null ? '' : `, ${duration(sentinel.ageMs)}`;
  const line = vote ?? (up ? word : `${sentinel.state}${seen}`);
  return {
    title: sentinel.id,
    state: '',
    tone: up && !agrees ? 'warn' : toneOf(sentinel.state),
    lines: [line],
    brief: line,
    href: `#/sentinels/${encodeURIComponent(sentinel.id)}`,
  };
}

const linePx = 12.5;

/** How many letters of that size fit, about. */
function mostIn(room: number, px: number): number {
  return Math.max(3, Math.floor(room / (px * 0.56)));
}

/** What the first says matters more than the second: where it does not fit, it takes the room of both. */
function linesIn(lines: readonly string[], many: number, most: number): readonly string[] {
  const [first = ''] = lines;
  if (many === 1 || first.length <= most) return lines.slice(0, many);
  const at = first.lastIndexOf(' ', most);
  return at <= 0 ? lines.slice(0, many) : [first.slice(0, at), first.slice(at + 1)];
}

/** Of small bold letters, about. */
function widthOf(text: string): number {
  return text.length * 7;
}

/** SVG cuts nothing off by itself. Whoever points at what is cut sees all of it. */
function Fitted({ text, room, px }: { text: string; room: number; px: number }) {
  const most = mostIn(room, px);
  if (text.length <= most) return text;
  return (
    <>
      <title>{text}</title>
      {`${text.slice(0, most - 1)}…`}
    </>
  );
}
