/** A bar chart by day in SVG, and a table with the same numbers for screen readers. */

import { useEffect, useRef, useState } from "preact/hooks";
import { day, number } from "../texts/formats";
import { useTexts } from "../texts";
import type { UsageDay } from "../api/types";
import { Empty } from "./Empty";
import { DeliveryFigures } from "./DeliveryFigures";
import { Card } from "./Page";

const DAYS = 30;
const HEIGHT = 180;
const LEFT = 44;
const RIGHT = 18;
const NARROW = 480;

const NOTHING = { accepted: 0, sent: 0, failed: 0, delivered: 0, bounced: 0, complained: 0 };

/** The last 30 UTC days, including days without messages. */
function lastDays(known: readonly UsageDay[]): UsageDay[] {
  const byDay = new Map(known.map((entry) => [entry.day, entry]));
  const today = Date.parse(new Date().toISOString().slice(0, 10));
  return Array.from({ length: DAYS }, (_, index) => {
    const name = new Date(today - (DAYS - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    return byDay.get(name) ?? { ...NOTHING, day: name };
  });
}

/**
 * A ref for an element, and the width of this element in pixels, at least 240. The SVG has the same
 * width, so its text is not scaled.
 */
export function useWidth<T extends Element>() {
  const ref = useRef<T>(null);
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    observer.observe(ref.current!);
    return () => observer.disconnect();
  }, []);
  return [ref, Math.max(width, 240)] as const;
}

/** `value` rounded up to 1, 2 or 5 times a power of ten; at least 4. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const leading = [1, 2, 5, 10].find((step) => step * power >= value) ?? 10;
  return Math.max(leading * power, 4);
}

/** The chart in a card. `empty` is the sentence that is shown if there are no messages. */
export function UsageByDay({ days, empty }: { days: readonly UsageDay[]; empty: string }) {
  const t = useTexts();
  return days.length ? (
    <Card title={t.usage.chart}>
      <UsageChart days={lastDays(days)} />
      <DeliveryFigures days={lastDays(days)} />
    </Card>
  ) : (
    <Empty icon="chart" title={t.usage.emptyTitle}>
      <p>{empty}</p>
    </Empty>
  );
}

function UsageChart({ days: shown }: { days: readonly UsageDay[] }) {
  const t = useTexts();
  const [frame, width] = useWidth<HTMLElement>();
  const step = (width - LEFT - RIGHT) / DAYS;
  const gap = step / 5;
  const labelled = width < NARROW ? 14 : 7;
  const top = roundUp(Math.max(...shown.map((entry) => entry.sent + entry.failed)));
  const hint = (entry: UsageDay) =>
    `${day(entry.day)}: ${t.sent.status.sent} ${number(entry.sent)}, ` +
    `${t.sent.status.failed} ${number(entry.failed)}, ` +
    `${t.sent.delivery.delivered} ${number(entry.delivered)}, ` +
    `${t.sent.delivery.bounced} ${number(entry.bounced)}`;
  const height = (value: number) => (value / top) * HEIGHT;
  return (
    <figure class="chart" ref={frame}>
      <div class="hint chart-legend" aria-hidden="true">
        <span class="sent">{t.sent.status.sent}</span>
        <span class="failed">{t.sent.status.failed}</span>
      </div>
      <svg
        viewBox={`${-LEFT} -10 ${width} ${HEIGHT + 36}`}
        role="img"
        aria-label={t.usage.chart}
      >
        {[0, 0.5, 1].map((part) => (
          <g key={part}>
            <line class="grid" x1="0" x2={DAYS * step} y1={HEIGHT * part} y2={HEIGHT * part} />
            <text x="-8" y={HEIGHT * part + 4} text-anchor="end">
              {number(top * (1 - part))}
            </text>
          </g>
        ))}
        {shown.map((entry, index) => (
          <g key={entry.day} transform={`translate(${index * step} 0)`}>
            <title>{hint(entry)}</title>
            <rect class="touch" x="0" y="0" width={step} height={HEIGHT} />
            <rect
              class="sent"
              x={gap}
              width={step - 2 * gap}
              rx="2"
              y={HEIGHT - height(entry.sent)}
              height={height(entry.sent)}
            />
            <rect
              class="failed"
              x={gap}
              width={step - 2 * gap}
              rx="2"
              y={HEIGHT - height(entry.sent) - height(entry.failed) - (entry.sent ? 1 : 0)}
              height={height(entry.failed)}
            />
            {(DAYS - 1 - index) % labelled === 0 && (
              <text x={step / 2} y={HEIGHT + 20} text-anchor="middle">
                {day(entry.day)}
              </text>
            )}
          </g>
        ))}
      </svg>
      {/* A table ignores the height that hides an element, so the element around it is hidden. */}
      <div class="hidden">
        <table>
          <caption>{t.usage.chart}</caption>
          <thead>
            <tr>
              <th scope="col">{t.usage.day}</th>
              <th scope="col">{t.sent.status.sent}</th>
              <th scope="col">{t.sent.status.failed}</th>
              <th scope="col">{t.sent.delivery.delivered}</th>
              <th scope="col">{t.sent.delivery.bounced}</th>
              <th scope="col">{t.sent.delivery.complained}</th>
            </tr>
          </thead>
          <tbody>
            {shown
              .filter((entry) => entry.accepted)
              .map((entry) => (
                <tr key={entry.day}>
                  <th scope="row">{day(entry.day)}</th>
                  <td>{entry.sent}</td>
                  <td>{entry.failed}</td>
                  <td>{entry.delivered}</td>
                  <td>{entry.bounced}</td>
                  <td>{entry.complained}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
