/** A bar chart by day in SVG, and a table with the same numbers for screen readers. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useTexts } from "../texts";
import { day, number } from "../texts/formats";

const HEIGHT = 150;
const RIGHT = 30; // for the right half of the last day's label
const LABEL_WIDTH = 90;

/** The space for the labels at the left, and of it the gap and the maximum width of a character. */
const MIN_LEFT = 44;
const LEFT_GAP = 8;
const CHARACTER = 7;

/** A number of each day. Without an entry for a day it is 0. */
export interface Series<Entry> {
  name: string;
  of: (entry: Entry) => number;
}

/** The last UTC days, the oldest first, with their entries. */
export function lastDays<Entry extends { day: string }>(known: readonly Entry[], count: number) {
  const byDay = new Map(known.map((entry) => [entry.day, entry]));
  const today = Date.parse(new Date().toISOString().slice(0, 10));
  return Array.from({ length: count }, (_, index) => {
    const name = new Date(today - (count - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    return { name, entry: byDay.get(name) };
  });
}

/**
 * A ref for an element, and the width of this element in pixels, at least 240. The SVG has the same
 * width, so its text is not scaled.
 */
function useWidth<T extends Element>() {
  const ref = useRef<T>(null);
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    observer.observe(ref.current!);
    return () => observer.disconnect();
  }, []);
  return [ref, Math.max(width, 240)] as const;
}

/** `value` rounded up to a number whose half is whole and short; at least 4. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const tops = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((step) => step * power);
  return tops.find((top) => top >= Math.max(value, 4) && top % 2 === 0) ?? 10 * power;
}

interface Data<Entry> {
  title: string;
  days: readonly { name: string; entry?: Entry }[];
  good: Series<Entry>;
  bad: Series<Entry>;
  /** Further numbers of the table and of the hint of a day, which have no bars. */
  more?: readonly Series<Entry>[];
}

export function Chart<Entry>(data: Data<Entry>) {
  const { title, days, good, bad, more = [] } = data;
  const [frame, width] = useWidth<HTMLElement>();
  const bars = days.map(({ name, entry }) => ({
    name,
    good: entry ? good.of(entry) : 0,
    bad: entry ? bad.of(entry) : 0,
    hint: [good, bad, ...more]
      .map((series) => `${series.name} ${number(entry ? series.of(entry) : 0)}`)
      .join(", "),
  }));
  const top = roundUp(Math.max(...bars.map((bar) => bar.good + bar.bad)));
  const labels = [0, 0.5, 1].map((part) => ({ part, text: number(top * (1 - part)) }));
  const longest = Math.max(...labels.map(({ text }) => text.length));
  const left = Math.max(MIN_LEFT, LEFT_GAP + CHARACTER * longest);
  const step = (width - left - RIGHT) / days.length;
  const labelled = 7 * Math.ceil(LABEL_WIDTH / (7 * step));
  return (
    <figure class="chart" ref={frame}>
      <div class="hint chart-legend" aria-hidden="true">
        <span class="sent">{good.name}</span>
        <span class="failed">{bad.name}</span>
      </div>
      <svg viewBox={`${-left} -10 ${width} ${HEIGHT + 36}`} role="img" aria-label={title}>
        {labels.map(({ part, text }) => (
          <g key={part}>
            <line
              class="grid"
              x1="0"
              x2={days.length * step}
              y1={HEIGHT * part}
              y2={HEIGHT * part}
            />
            <text x={-LEFT_GAP} y={HEIGHT * part + 4} text-anchor="end">
              {text}
            </text>
          </g>
        ))}
        {bars.map((bar, index) => (
          <g key={bar.name} transform={`translate(${index * step} 0)`}>
            <title>{`${day(bar.name)}: ${bar.hint}`}</title>
            <rect class="touch" x="0" y="0" width={step} height={HEIGHT} />
            <Bar kind="sent" step={step} from={0} to={bar.good / top} />
            <Bar kind="failed" step={step} from={bar.good / top} to={(bar.good + bar.bad) / top} />
            {(days.length - 1 - index) % labelled === 0 && (
              <text x={step / 2} y={HEIGHT + 20} text-anchor="middle">
                {day(bar.name)}
              </text>
            )}
          </g>
        ))}
      </svg>
      <HiddenTable {...data} />
    </figure>
  );
}

/** A bar in the column of a day. `from` and `to` are parts of the height. */
function Bar({ kind, step, from, to }: { kind: string; step: number; from: number; to: number }) {
  const gap = step / 5;
  return (
    <rect
      class={kind}
      x={gap}
      width={step - 2 * gap}
      rx={Math.min(2, gap / 2)}
      y={HEIGHT * (1 - to)}
      height={HEIGHT * (to - from)}
    />
  );
}

function HiddenTable<Entry>({ title, days, good, bad, more = [] }: Data<Entry>) {
  const t = useTexts().usage;
  const columns = [good, bad, ...more];
  // A table ignores the height that hides an element, so the element around it is hidden.
  return (
    <div class="hidden">
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">{t.day}</th>
            {columns.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.map(
            ({ name, entry }) =>
              entry && (
                <tr key={name}>
                  <th scope="row">{day(name)}</th>
                  {columns.map((series) => (
                    <td key={series.name}>{series.of(entry)}</td>
                  ))}
                </tr>
              ),
          )}
        </tbody>
      </table>
    </div>
  );
}
