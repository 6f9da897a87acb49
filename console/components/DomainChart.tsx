/** The recipients of a sending domain by day, as bars in SVG and as a table for screen readers. */

import type { DomainDay } from "../api/admin";
import { useTexts } from "../texts";
import { day, number } from "../texts/formats";
import { roundUp, useWidth } from "./Chart";

const DAYS = 90;
const HEIGHT = 120;
const LEFT = 44;
const RIGHT = 18;
const NARROW = 480;

interface Bar {
  day: string;
  fine: number;
  bad: number;
}

/** The recipients whose mail did not arrive, or who reported it as spam; at most all. */
function problems(entry: DomainDay): number {
  const all = entry.bounced + entry.failed + entry.rejected + entry.complained;
  return Math.min(all, Math.max(entry.accepted, all - entry.complained));
}

/** The last 90 UTC days, including days without mail. */
function bars(known: readonly DomainDay[]): Bar[] {
  const byDay = new Map(known.map((entry) => [entry.day, entry]));
  const today = Date.parse(new Date().toISOString().slice(0, 10));
  return Array.from({ length: DAYS }, (_, index) => {
    const name = new Date(today - (DAYS - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    const entry = byDay.get(name);
    const bad = entry ? problems(entry) : 0;
    return { day: name, bad, fine: Math.max(0, (entry?.accepted ?? 0) - bad) };
  });
}

export function DomainChart({ domain, days }: { domain: string; days: readonly DomainDay[] }) {
  const t = useTexts();
  const d = t.admin.domains;
  const [frame, width] = useWidth<HTMLElement>();
  const step = (width - LEFT - RIGHT) / DAYS;
  const gap = step / 6;
  const labelled = width < NARROW ? 42 : 14;
  const shown = bars(days);
  const top = roundUp(Math.max(...shown.map(({ fine, bad }) => fine + bad)));
  const height = (value: number) => (value / top) * HEIGHT;
  const title = d.chart(domain);
  return (
    <figure class="chart" ref={frame}>
      <div class="hint chart-legend" aria-hidden="true">
        <span class="sent">{d.fine}</span>
        <span class="failed">{d.problems}</span>
      </div>
      <svg viewBox={`${-LEFT} -10 ${width} ${HEIGHT + 36}`} role="img" aria-label={title}>
        {[0, 0.5, 1].map((part) => (
          <g key={part}>
            <line class="grid" x1="0" x2={DAYS * step} y1={HEIGHT * part} y2={HEIGHT * part} />
            <text x="-8" y={HEIGHT * part + 4} text-anchor="end">
              {number(top * (1 - part))}
            </text>
          </g>
        ))}
        {shown.map((bar, index) => (
          <g key={bar.day} transform={`translate(${index * step} 0)`}>
            <title>
              {`${day(bar.day)}: ${d.fine} ${number(bar.fine)}, ${d.problems} ${number(bar.bad)}`}
            </title>
            <rect class="touch" x="0" y="0" width={step} height={HEIGHT} />
            <rect
              class="sent"
              x={gap}
              width={step - 2 * gap}
              y={HEIGHT - height(bar.fine)}
              height={height(bar.fine)}
            />
            <rect
              class="failed"
              x={gap}
              width={step - 2 * gap}
              y={HEIGHT - height(bar.fine) - height(bar.bad)}
              height={height(bar.bad)}
            />
            {(DAYS - 1 - index) % labelled === 0 && (
              <text x={step / 2} y={HEIGHT + 20} text-anchor="middle">
                {day(bar.day)}
              </text>
            )}
          </g>
        ))}
      </svg>
      {/* A table ignores the height that hides an element, so the element around it is hidden. */}
      <div class="hidden">
        <table>
          <caption>{title}</caption>
          <thead>
            <tr>
              <th scope="col">{t.usage.day}</th>
              <th scope="col">{d.fine}</th>
              <th scope="col">{d.problems}</th>
            </tr>
          </thead>
          <tbody>
            {shown
              .filter(({ fine, bad }) => fine + bad)
              .map((bar) => (
                <tr key={bar.day}>
                  <th scope="row">{day(bar.day)}</th>
                  <td>{bar.fine}</td>
                  <td>{bar.bad}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
