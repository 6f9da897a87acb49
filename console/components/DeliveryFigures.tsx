/** How many recipients the mail of some days has reached, as far as it is known. */

import type { UsageDay } from "../api/types";
import { percent } from "../texts/formats";
import { useTexts } from "../texts";
import { Figure } from "./Figure";

type Counter = "delivered" | "bounced" | "complained";

export function DeliveryFigures({ days }: { days: readonly UsageDay[] }) {
  const t = useTexts();
  const sum = (name: Counter) => days.reduce((total, day) => total + day[name], 0);
  const delivered = sum("delivered");
  const bounced = sum("bounced");
  const complained = sum("complained");
  if (!delivered && !bounced && !complained) return <p class="hint">{t.usage.noEvents}</p>;
  const rate = (part: number, all: number) =>
    all ? t.usage.rate(percent(part / all)) : t.usage.recipients;
  return (
    <dl class="numbers deliveries">
      <Figure name={t.sent.delivery.delivered} value={delivered} text={t.usage.recipients} />
      <Figure
        name={t.sent.delivery.bounced}
        value={bounced}
        text={rate(bounced, delivered + bounced)}
      />
      <Figure
        name={t.sent.delivery.complained}
        value={complained}
        text={rate(complained, delivered)}
      />
    </dl>
  );
}
