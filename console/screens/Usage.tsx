/** How much the address has sent and may still send. */

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { UNLIMITED, type AddressUsage } from "../api/types";
import { useGet } from "../api/use";
import { useAction } from "../components/action";
import { Button } from "../components/Button";
import { UsageByDay } from "../components/UsageByDay";
import { Figure } from "../components/Figure";
import { Loader } from "../components/Loader";
import { Notice, ProblemNotice } from "../components/Notice";
import { Page } from "../components/Page";
import { useTexts } from "../texts";

export function Usage() {
  const t = useTexts();
  const usage = useGet<AddressUsage>("/api/usage");
  return (
    <Page title={t.nav.usage} intro={t.usage.intro}>
      <Loader from={usage}>
        {({
          send_balance: balance,
          sending_disabled: isDisabled,
          daily_left: daily,
          monthly_left: monthly,
          days,
        }) => (
          <>
            {isDisabled && <Notice kind="warning" title={t.usage.disabled} />}
            {balance === 0 && !isDisabled && <Request reload={usage.reload} />}
            <dl class="numbers">
              <Figure
                name={t.usage.balance}
                value={balance === UNLIMITED ? null : balance}
                text={t.usage.balanceText}
              />
              <Figure name={t.usage.daily} value={daily} text={t.usage.limitText} />
              <Figure name={t.usage.monthly} value={monthly} text={t.usage.limitText} />
            </dl>
            <UsageByDay days={days} empty={t.usage.emptyText} />
          </>
        )}
      </Loader>
    </Page>
  );
}

/** A notice that lets an address without a balance request access. */
function Request({ reload }: { reload: () => Promise<void> }) {
  const t = useTexts();
  const { busy, problem, run } = useAction();
  const [hasAsked, setHasAsked] = useState(false);
  const ask = () =>
    run(async () => {
      await call("POST", "/api/request_send_mail_access");
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
