/** The messages of the last 30 days in a card: a chart, and how many recipients they reached. */

import type { UsageDay } from "../api/types";
import { useTexts } from "../texts";
import { Chart, lastDays } from "./Chart";
import { DeliveryFigures } from "./DeliveryFigures";
import { Empty } from "./Empty";
import { Card } from "./Page";

/** `empty` is the sentence that is shown if there are no messages. */
export function UsageByDay({ days, empty }: { days: readonly UsageDay[]; empty: string }) {
  const { sent: s, usage: t } = useTexts();
  if (!days.length) {
    return (
      <Empty icon="chart" title={t.emptyTitle}>
        <p>{empty}</p>
      </Empty>
    );
  }
  const shown = lastDays(days, 30);
  return (
    <Card title={t.chart}>
      <Chart
        title={t.chart}
        days={shown}
        good={{ name: s.status.sent, of: (entry) => entry.sent }}
        bad={{ name: s.status.failed, of: (entry) => entry.failed }}
        more={[
          { name: s.delivery.delivered, of: (entry) => entry.delivered },
          { name: s.delivery.bounced, of: (entry) => entry.bounced },
          { name: s.delivery.complained, of: (entry) => entry.complained },
        ]}
      />
      <DeliveryFigures days={shown.flatMap(({ entry }) => entry ?? [])} />
    </Card>
  );
}
