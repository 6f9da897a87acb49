/** The version of the service, and how full its database is. */

import type { Overview } from "../../../api/overview";
import { Facts } from "../../../components/Facts";
import { Notice } from "../../../components/Notice";
import { Card } from "../../../components/Page";
import { Time } from "../../../components/Time";
import { number, percent } from "../../../texts/formats";
import { useOverviewTexts } from "../../../texts/overview";

/** From this part of its limit on, the database is nearly full. */
const NEARLY_FULL = 0.8;

export function Deployment({ overview: { version, database, checks } }: { overview: Overview }) {
  const t = useOverviewTexts();
  const cron = checks.find(({ name }) => name === "cron")?.at;
  const part = (database.size ?? 0) / database.limit;
  const used =
    database.size === null ? (
      t.sizeUnknown
    ) : (
      <span class="fullness">
        {t.size(megabytes(database.size), megabytes(database.limit), percent(part))}
        <meter min={0} max={1} high={NEARLY_FULL} value={part} aria-label={t.database} />
      </span>
    );
  return (
    <Card title={t.deployment}>
      {part >= NEARLY_FULL && (
        <Notice kind="warning">
          <p>{t.nearlyFull}</p>
        </Notice>
      )}
      <Facts
        facts={[
          [t.version, version],
          [t.database, used],
          [t.lastCron, cron && <Time at={cron} />],
        ]}
      />
    </Card>
  );
}

/** D1's limits are multiples of 1000. */
function megabytes(bytes: number): string {
  const isLarge = bytes >= 1e9;
  return `${number(Math.round(bytes / (isLarge ? 1e8 : 1e5)) / 10)} ${isLarge ? "GB" : "MB"}`;
}
