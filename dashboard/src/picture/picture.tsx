import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { ApiView } from '../../../src/api/view.ts';
import type { Story } from '../data/stories.ts';
import { BoxShape } from './box-shape.tsx';
import { LineShape } from './line-shape.tsx';
import { linesOf } from './lines.ts';
import { type Box, type Places, placesOf } from './places.ts';
import { inWords } from './words.ts';

/** The deployment as people draw it on a whiteboard. @param story a change of primary that has just been. */
export function Picture({ view, story }: { view: ApiView; story: Story | null }) {
  const [frame, width] = useWidth();
  const shape = shapeOf(view);
  // biome-ignore lint/correctness/useExhaustiveDependencies: places depend on who is there, not on how they are.
  const places = useMemo(() => placesOf(view, width), [shape, width]);
  const lines = linesOf(view, places);
  const facts = useMemo(() => factsOf(view), [view]);
  const boxes = [...places.boxes.values()];
  const primary = places.boxes.get(`member:${view.primary ?? ''}`);
  return (
    <div ref={frame} className="picture">
      <svg width={places.width} height={places.height} role="group" aria-label="The deployment as a picture">
        <g aria-hidden="true">
          {lines.map((line) => (
            <LineShape key={line.key} line={line} />
          ))}
        </g>
        {primary && <Ring box={primary} />}
        {boxes.map((box) => (
          <BoxShape key={box.key} box={box} view={view} facts={facts} />
        ))}
        {story && <Votes key={story.key} places={places} view={view} to={story.to} lost={story.from} />}
      </svg>
      <ul className="unseen" aria-label="The picture in words">
        {inWords(view).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </div>
  );
}

/** Frames the primary, and slides to the next one. */
function Ring({ box }: { box: Box }) {
  return (
    <rect
      className="ring"
      aria-hidden="true"
      width={box.w + 10}
      height={box.h + 10}
      rx="13"
      style={{ transform: `translate(${box.x - 5}px, ${box.y - 5}px)` }}
    />
  );
}

/** The votes that went to whom was promoted, from each Sentinel; and the end of whom was lost. Seen once. */
function Votes({
  places,
  view,
  to,
  lost,
}: {
  places: Places;
  view: ApiView;
  to: string;
  lost: string | null;
}) {
  const target = places.boxes.get(`member:${to}`);
  const dead = places.boxes.get(`member:${lost ?? ''}`);
  if (!target) return null;
  return (
    <g aria-hidden="true">
      {dead && <circle className="burst" cx={dead.x + dead.w / 2} cy={dead.y + dead.h / 2} r={dead.h / 2} />}
      {view.sentinels.map(({ id, state }, index) => {
        const from = places.boxes.get(`sentinel:${id}`);
        if (!from || state === 'down') return null;
        const x = from.x + (places.tall ? from.w / 2 : 0);
        const y = from.y + (places.tall ? 0 : from.h / 2);
        const way = {
          '--dx': `${target.x + (places.tall ? target.w / 2 : target.w) - x}px`,
          '--dy': `${target.y + (places.tall ? target.h : target.h / 2) - y}px`,
          animationDelay: `${index * 160}ms`,
        };
        return (
          <g key={id} className="vote" style={way}>
            <rect x={x - 11} y={y - 8} width="22" height="16" rx="3" />
            <path d={`M${x - 5} ${y}l4 4 7-8`} />
          </g>
        );
      })}
    </g>
  );
}

/** Who is there, in one word. */
function shapeOf({ members, gates, sentinels }: ApiView): string {
  return [members, gates, sentinels].map((each) => each.map(({ id }) => id).join()).join(';');
}

/** Everyone by the key of their box. */
function factsOf(view: ApiView) {
  return {
    members: new Map(view.members.map((member) => [member.id, member])),
    gates: new Map(view.gates.map((gate) => [gate.id, gate])),
    sentinels: new Map(view.sentinels.map((sentinel) => [sentinel.id, sentinel])),
  };
}
export type Facts = ReturnType<typeof factsOf>;

function useWidth() {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(1000);
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const look = () => setWidth(Math.max(220, Math.floor(element.clientWidth)));
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [frame, width] as const;
}
