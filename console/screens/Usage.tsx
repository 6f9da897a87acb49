/** How much the address has sent, and what it may still send. */

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { UNLIMITED, type AddressUsage } from "../api/types";
import { useGet } from "../api/use";
import { useAction } from "../components/action";
import { Button } from "../components/Button";
import { UsageChart } from "../components/Chart";
import { Empty, Skeleton } from "../components/Empty";
import { Figure } from "../components/Figure";
import { Notice, ProblemNotice } from "../components/Notice";
import { Card, Page } from "../components/Page";
import { toast } from "../state/toasts";
import { useTexts } from "../texts";

export function Usage() {
  const t = useTexts();
  const { data, problem, reload } = useGet<AddressUsage>("/api/usage");
  return (
    <Page title={t.usage.title} intro={t.usage.intro}>
      {problem && <ProblemNotice problem={problem} retry={() => void reload()} />}
      {!data && !problem && <Skeleton />}
      {data && (
        <>
          {data.send_balance === 0 && <Request reload={reload} />}
          <dl class="numbers">
            <Figure
              name={t.usage.balance}
              value={data.send_balance === UNLIMITED ? null : data.send_balance}
              text={t.usage.balanceText}
            />
            <Figure name={t.usage.daily} value={data.daily_left} text={t.usage.limitText} />
            <Figure name={t.usage.monthly} value={data.monthly_left} text={t.usage.limitText} />
          </dl>
          {data.days.length ? (
            <Card title={t.usage.chart}>
              <UsageChart days={data.days} />
            </Card>
          ) : (
            <Empty icon="chart" title={t.usage.emptyTitle}>
              <p>{t.usage.emptyText}</p>
            </Empty>
          )}
        </>
      )}
    </Page>
  );
}

/** An address without a balance asks for one. */
function Request({ reload }: { reload: () => Promise<void> }) {
  const t = useTexts();
  const { busy, problem, run } = useAction();
  const [hasAsked, setHasAsked] = useState(false);
  const ask = () =>
    run(async () => {
      await call("POST", "/api/request_send_mail_access");
      toast(t.usage.requested);
      setHasAsked(true);
      await reload();
    });
  const isWaiting = hasAsked || problem?.code === "already_requested";
  return (
    <Notice kind="warning" title={t.usage.noBalance}>
      <p role="status">{isWaiting ? t.usage.requested : t.usage.requestText}</p>
      {problem && !isWaiting && <ProblemNotice problem={problem} />}
      {!isWaiting && (
        <Button small busy={busy} onClick={() => void ask()}>
          {t.usage.request}
        </Button>
      )}
    </Notice>
  );
}
