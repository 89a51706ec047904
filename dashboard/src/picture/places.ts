/**
 * Where everything of the picture stands, in pixels. Pure. Clients, gates, members and Sentinels stand in columns from left
 * to right, on a phone in rows from top to bottom. A process keeps its place whatever becomes of it: what moves in a
 * failover is who is primary, and what goes where.
 */
import type { ApiView } from '../../../src/api/view.ts';

export interface Box {
  /** `member:redis-1`. */
  key: string;
  kind: 'clients' | 'gate' | 'member' | 'sentinel';
  /** Of the process; of clients, the id of their gate, or empty for all of them. */
  id: string;
  x: number;
  y: number;
  w: number;
  h: number;
  /** There is no room for more than its name and state. */
  small: boolean;
}

export interface Places {
  width: number;
  height: number;
  /** From top to bottom rather than from left to right. */
  tall: boolean;
  boxes: ReadonlyMap<string, Box>;
}

/** So many fit in full. */
const fullMembers = 6;
const fullGates = 4;
const fullSentinels = 5;
const gap = 18;

export function placesOf(view: ApiView, width: number): Places {
  const needed = view.members.length > fullMembers ? 980 : 820;
  return width >= needed ? inColumns(view, Math.min(width, 1240)) : inRows(view, width);
}

type Ids = readonly { id: string }[];

function inColumns(view: ApiView, width: number): Places {
  const edge = 2;
  const clientsW = 148;
  const sentinelsW = 160;
  const gateW = 196;
  const many = view.members.length > fullMembers;
  const membersX = Math.round(width * (many ? 0.42 : 0.53));
  const gatesX = Math.round((clientsW + membersX - gateW) / 2);
  const sentinelsX = width - sentinelsW - edge;
  const membersW = Math.min(236, sentinelsX - membersX - 70);
  const gridW = sentinelsX - membersX - 36;
  const columns = [
    stack('gate', view.gates, gatesX, gateW, view.gates.length > fullGates ? 42 : 84),
    many ? grid(view.members, membersX, gridW) : stack('member', view.members, membersX, membersW, 84),
    stack(
      'sentinel',
      view.sentinels,
      sentinelsX,
      sentinelsW,
      view.sentinels.length > fullSentinels ? 34 : 50,
    ),
  ];
  // Their gates stand beside them.
  const gates = columns[0]!;
  const height = Math.max(...columns.map(heightOf), 120) + 2 * edge;
  for (const column of columns) lower(column, (height - heightOf(column)) / 2);
  const clients = clientsBeside(view.gates.length > fullGates, gates, edge, clientsW, height);
  return { width, height, tall: false, boxes: byKey([...clients, ...columns.flat()]) };
}

function clientsBeside(
  together: boolean,
  gates: readonly Box[],
  x: number,
  w: number,
  height: number,
): Box[] {
  const at = { kind: 'clients', x, w, h: 64, small: false } as const;
  if (together) return [{ ...at, key: 'clients:', id: '', y: (height - 64) / 2 }];
  return gates.map(({ id, y, h }) => ({ ...at, key: `clients:${id}`, id, y: y + (h - 64) / 2 }));
}

function inRows(view: ApiView, width: number): Places {
  const edge = 2;
  // At the sides is room for the lines from member to member.
  const margin = 30;
  const inner = width - 2 * margin;
  const boxes: Box[] = [
    { key: 'clients:', kind: 'clients', id: '', x: margin, y: edge, w: inner, h: 52, small: false },
  ];
  let y = edge + 52 + 44;
  const perRow = view.gates.length <= 2 ? 1 : 2;
  const gateW = (inner - gap * (perRow - 1)) / perRow;
  const gateH = view.gates.length > fullGates ? 42 : 84;
  view.gates.forEach(({ id }, index) => {
    const x = margin + (index % perRow) * (gateW + gap);
    const row = Math.floor(index / perRow);
    boxes.push({ ...box('gate', id, x, gateW, gateH), y: y + row * (gateH + gap) });
  });
  y += Math.ceil(view.gates.length / perRow) * (gateH + gap) - gap + 44;
  const many = view.members.length > fullMembers;
  const members = many ? grid(view.members, margin, inner) : stack('member', view.members, margin, inner, 84);
  lower(members, y);
  y = heightOf(members) + 34;
  const sentinels = stack('sentinel', view.sentinels, margin, inner, 40);
  lower(sentinels, y);
  const height = view.sentinels.length === 0 ? y : heightOf(sentinels) + edge;
  return { width, height, tall: true, boxes: byKey([...boxes, ...members, ...sentinels]) };
}

function box(kind: Box['kind'], id: string, x: number, w: number, h: number): Box {
  return { key: `${kind}:${id}`, kind, id, x, y: 0, w, h, small: h < 48 };
}

function stack(kind: Box['kind'], each: Ids, x: number, w: number, h: number): Box[] {
  const space = h < 48 ? 8 : gap;
  return each.map(({ id }, index) => ({ ...box(kind, id, x, w, h), y: index * (h + space) }));
}

/** Many members, small, in as many columns as there is room for. */
function grid(each: Ids, x: number, w: number): Box[] {
  const across = Math.max(1, Math.floor((w + 8) / 124));
  const boxW = (w - 8 * (across - 1)) / across;
  return each.map(({ id }, index) => ({
    ...box('member', id, x + (index % across) * (boxW + 8), boxW, 36),
    y: Math.floor(index / across) * 44,
  }));
}

function heightOf(boxes: readonly Box[]): number {
  return Math.max(0, ...boxes.map(({ y, h }) => y + h));
}

function lower(boxes: Box[], by: number): void {
  for (const each of boxes) each.y += by;
}

function byKey(boxes: readonly Box[]): Map<string, Box> {
  return new Map(boxes.map((each) => [each.key, each]));
}
