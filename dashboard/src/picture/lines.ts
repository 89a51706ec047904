/** What goes from where to where in the picture, and along which line. Pure. */
import type { ApiGate, ApiMember, ApiView } from '../../../src/api/view.ts';
import type { Box, Places } from './places.ts';

export interface Line {
  key: string;
  kind: 'requests' | 'replication' | 'word';
  /** held: nothing goes along it now, and waits; broken: there should be something, and there is not. */
  state: 'flows' | 'idle' | 'held' | 'broken';
  /** Of an SVG path. */
  path: string;
  /** Where its label stands. */
  labelX: number;
  labelY: number;
  /** There is room for its label. */
  labelled: boolean;
  /** It shows that something flows by moving. Many that move are costly to draw, and restless. */
  moves: boolean;
  /** Commands a second; null where that is not known, or not what goes along it. */
  perSecond: number | null;
}

/** Beyond that many, the lines to each replica would be a thicket. How far behind each is stands in its box. */
const mostReplicaLines = 6;

export function linesOf(view: ApiView, places: Places): Line[] {
  const { boxes } = places;
  const gates = view.gates.flatMap((gate) => gateLines(view, gate, places));
  const primary = boxes.get(`member:${view.primary ?? ''}`);
  const replicas = view.members.filter(({ id }) => id !== view.primary);
  const replication =
    primary && replicas.length <= mostReplicaLines
      ? replicas.map((replica, index) => replicationLine(view, replica, primary, places, index))
      : [];
  const words = places.tall || view.members.length > mostReplicaLines ? [] : wordLines(view, boxes);
  return [...words, ...replication.filter((line) => line !== null), ...gates];
}

/** With more of them the labels would lie on each other: what goes through a gate stands in its box too. */
const mostLabelledGates = 4;

/** From its clients to a gate, and from it to the member that it sends writes to. */
function gateLines(view: ApiView, gate: ApiGate, { boxes, tall }: Places): Line[] {
  const own = boxes.get(`gate:${gate.id}`);
  const clients = boxes.get(`clients:${gate.id}`) ?? boxes.get('clients:');
  if (!own || !clients) return [];
  // What was a while ago does not flow now.
  const perSecond = gate.ageMs === null ? gate.commandsPerSecond : null;
  const labelled = view.gates.length <= mostLabelledGates;
  const flow = { perSecond, kind: 'requests', labelled, moves: labelled } as const;
  const held = gate.state === 'holding' || (gate.held ?? 0) > 0;
  const isDown = gate.state === 'down';
  const moving = (perSecond ?? 0) > 0 ? 'flows' : 'idle';
  const state = isDown ? 'broken' : held ? 'held' : moving;
  // On a phone only the first gate stands right under the clients.
  const isBelow = own.y - clients.y - clients.h < 60;
  const into = !tall ? across(clients, own) : isBelow ? down(clients, own) : bow(clients, own, 'left', 20);
  const lines: Line[] = [
    { ...flow, key: `to-${gate.id}`, state, ...into, labelled: labelled && (!tall || isBelow) },
  ];
  const target = boxes.get(`member:${gate.primary ?? view.primary ?? ''}`);
  if (target === undefined) return lines;
  const refusing = gate.state === 'refusing' || isDown;
  const onward = tall ? bow(own, target, 'right', 20) : across(own, target);
  lines.push({
    ...flow,
    key: `from-${gate.id}`,
    state: refusing ? 'broken' : held ? 'held' : moving,
    ...onward,
    labelled: labelled && !tall,
  });
  return lines;
}

function replicationLine(
  view: ApiView,
  replica: ApiMember,
  primary: Box,
  { boxes, tall }: Places,
  index: number,
): Line | null {
  const own = boxes.get(`member:${replica.id}`);
  if (!own) return null;
  const followsOther = replica.follows !== null && replica.follows !== view.primary;
  const broken = !replica.linkUp || followsOther;
  const way = tall
    ? bow(primary, own, 'left', 10 + 5 * (index % 3))
    : bow(primary, own, 'right', 22 + 10 * (index % 3));
  return {
    key: `copy-${replica.id}`,
    kind: 'replication',
    state: broken ? 'broken' : 'flows',
    labelled: false,
    moves: false,
    perSecond: null,
    ...way,
  };
}

/** From each Sentinel to whom it names. */
function wordLines(view: ApiView, boxes: ReadonlyMap<string, Box>): Line[] {
  return view.sentinels.flatMap((sentinel): Line[] => {
    const own = boxes.get(`sentinel:${sentinel.id}`);
    const named = boxes.get(`member:${sentinel.names ?? ''}`);
    if (!own || !named || sentinel.state === 'down') return [];
    const x = named.x + named.w;
    const y = named.y + named.h / 2;
    const fromY = own.y + own.h / 2;
    const mid = (own.x + x) / 2 + 14;
    return [
      {
        key: `word-${sentinel.id}`,
        kind: 'word',
        state: 'idle',
        path: `M${own.x} ${fromY}C${mid} ${fromY} ${mid} ${y} ${x + 4} ${y}`,
        labelX: mid,
        labelY: fromY,
        labelled: false,
        moves: false,
        perSecond: null,
      },
    ];
  });
}

type Way = Pick<Line, 'path' | 'labelX' | 'labelY'>;

/** From the right side of one to the left side of another. */
function across(from: Box, to: Box): Way {
  const x = from.x + from.w;
  const y = from.y + from.h / 2;
  const toY = to.y + to.h / 2;
  const mid = (x + to.x) / 2;
  const path = `M${x} ${y}C${mid} ${y} ${mid} ${toY} ${to.x - 5} ${toY}`;
  return { path, labelX: mid, labelY: (y + toY) / 2 };
}

/** From the bottom of one to the top of another. */
function down(from: Box, to: Box): Way {
  const x = Math.min(Math.max(to.x + to.w / 2, from.x + 20), from.x + from.w - 20);
  const toX = to.x + to.w / 2;
  const y = from.y + from.h;
  const mid = (y + to.y) / 2;
  return { path: `M${x} ${y}C${x} ${mid} ${toX} ${mid} ${toX} ${to.y - 5}`, labelX: toX, labelY: mid };
}

/** From one to another in the same column, out at the side. */
function bow(from: Box, to: Box, side: 'left' | 'right', by: number): Way {
  const sign = side === 'left' ? -1 : 1;
  const edge = (box: Box) => (side === 'left' ? box.x : box.x + box.w);
  const upwards = to.y < from.y;
  const y = from.y + from.h * (upwards ? 0.3 : 0.7);
  const toY = to.y + to.h / 2;
  const out = edge(from) + sign * by;
  const r = 8;
  const turn = upwards ? -r : r;
  const path = `M${edge(from)} ${y}L${out - sign * r} ${y}Q${out} ${y} ${out} ${y + turn}L${out} ${toY - turn}Q${out} ${toY} ${out - sign * r} ${toY}L${edge(to) + sign * 5} ${toY}`;
  return { path, labelX: out, labelY: (y + toY) / 2 };
}
