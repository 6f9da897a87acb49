/** What was sent, delivered, bounced and failed: today, and in the last 30 days. */

import type { UsageDay } from "../../../api/types";
import { lastDays } from "../../../components/Chart";
import { Figure } from "../../../components/Figure";
import { number } from "../../../texts/formats";
import { useOverviewTexts } from "../../../texts/overview";

const NAMES = ["sent", "delivered", "bounced", "failed"] as const;

export function Today({ days }: { days: readonly UsageDay[] | undefined }) {
  const t = useOverviewTexts();
  const month = days && lastDays(days, 30).map(({ entry }) => entry);
  const today = month?.at(-1);
  const sum = (name: (typeof NAMES)[number]) =>
    month?.reduce((total, day) => total + (day?.[name] ?? 0), 0);
  return (
    <dl class="numbers four">
      {NAMES.map((name) => (
        <Figure
          key={name}
          name={t.todayOf[name]}
          value={month && (today?.[name] ?? 0)}
          text={t.inMonth(number(sum(name) ?? 0))}
        />
      ))}
    </dl>
  );
}
