import type { CSSProperties } from 'react';
import { count } from '../data/format.ts';
import type { Line } from './lines.ts';

/** A line of the picture, with what goes along it. The more, the faster it moves. */
export function LineShape({ line }: { line: Line }) {
  const { kind, state, path, labelX, labelY, labelled, moves, perSecond } = line;
  const label = labelOf(line);
  const pace = perSecond === null ? (kind === 'replication' ? 1 : 0) : paceOf(perSecond);
  // As a property it moves to its new course where the browser can do that; the attribute is for those that can't.
  const moving = { d: `path("${path}")` } as CSSProperties;
  return (
    <g className={`way ${kind} ${state}`}>
      <path className="under" d={path} style={moving} />
      {state === 'flows' && pace > 0 && moves && (
        <path className={`flow pace-${pace}`} d={path} style={moving} />
      )}
      {kind !== 'word' && <Head path={path} />}
      {state === 'broken' && <path className="cross" d={`M${labelX - 6} ${labelY - 6}l12 12m0-12l-12 12`} />}
      {labelled && label !== null && state !== 'broken' && (
        <g>
          <rect
            className="plate"
            x={labelX - label.length * 3.6 - 6}
            y={labelY - 10}
            width={label.length * 7.2 + 12}
            height="20"
            rx="10"
          />
          <text className="amount" x={labelX} y={labelY + 4} textAnchor="middle">
            {label}
          </text>
        </g>
      )}
    </g>
  );
}

function labelOf({ perSecond, state }: Line): string | null {
  if (state === 'held') return 'held';
  return perSecond === null ? null : `${count(perSecond)}/s`;
}

/** A few paces only: one that changed with every figure would jump. */
function paceOf(perSecond: number): 0 | 1 | 2 | 3 {
  if (perSecond <= 0) return 0;
  if (perSecond < 100) return 1;
  return perSecond < 5000 ? 2 : 3;
}

/** The point of an arrow where the path ends. Paths end horizontally, or downwards. */
function Head({ path }: { path: string }) {
  const numbers = path.match(/-?\d+(\.\d+)?/g)?.map(Number) ?? [];
  const [bx = 0, by = 0, x = 0, y = 0] = numbers.slice(-4);
  const angle = (Math.atan2(y - by, x - bx) * 180) / Math.PI;
  return <path className="head" d="M-7-4.5L0 0L-7 4.5" transform={`translate(${x} ${y}) rotate(${angle})`} />;
}
