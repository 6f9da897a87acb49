/** How many recipients all addresses together may send to, per day and month. */

import { useState } from "preact/hooks";
import { callAsAdmin, useAdmin, type AccountSettings, type SendLimits } from "../../api/admin";
import type { Usage } from "../../api/types";
import { CheckField, TextField } from "../../components/Field";
import { fieldErrors, useForm, wholeNumber } from "../../components/form";
import { Loader } from "../../components/Loader";
import { Card, Page } from "../../components/Page";
import { toast } from "../../state/toasts";
import { number } from "../../texts/formats";
import { useTexts } from "../../texts";
import { SaveBar } from "./SaveBar";

const PERIODS = ["daily", "monthly"] as const;
const UNLIMITED = -1;

type Period = (typeof PERIODS)[number];

interface Limit {
  isOn: boolean;
  isUnlimited: boolean;
  most: string;
}

export function Limits() {
  const a = useTexts().admin;
  const settings = useAdmin<AccountSettings>("/admin/account_settings");
  const usage = useAdmin<Usage>("/admin/usage");
  const reload = async () => {
    await Promise.all([settings.reload(), usage.reload()]);
  };
  return (
    <Page title={a.sections.limits} intro={a.limits.intro}>
      <Loader from={{ ...settings, reload }}>
        {({ sendMailLimitConfig }) => (
          <LimitsForm
            config={sendMailLimitConfig}
            left={{ daily: usage.data?.daily_left, monthly: usage.data?.monthly_left }}
            reload={reload}
          />
        )}
      </Loader>
    </Page>
  );
}

function LimitsForm({
  config,
  left,
  reload,
}: {
  config: SendLimits;
  left: Record<Period, number | null | undefined>;
  reload: () => Promise<void>;
}) {
  const { admin: a, common } = useTexts();
  const t = a.limits;
  const stored = { daily: limit(config, "daily"), monthly: limit(config, "monthly") };
  const [edited, setEdited] = useState<typeof stored>();
  const limits = edited ?? stored;
  const isChanged = JSON.stringify(limits) !== JSON.stringify(stored);
  const form = useForm({}, async () => {
    const body: Record<string, boolean | number | null> = {};
    const errors: Record<string, string> = {};
    for (const period of PERIODS) {
      const { isOn, isUnlimited, most } = limits[period];
      const value = isUnlimited ? UNLIMITED : wholeNumber(most);
      if (isOn && value === undefined) errors[fieldOf(period)] = a.common.wholeNumber;
      body[`${period}Enabled`] = isOn;
      body[`${period}Limit`] = value ?? null;
    }
    if (Object.keys(errors).length) throw fieldErrors(errors);
    await callAsAdmin("POST", "/admin/account_settings", {
      body: { sendMailLimitConfig: body },
    });
    toast(t.saved);
    await reload();
    setEdited((now) => (now === edited ? undefined : now)); // keep edits made during the request
  }, PERIODS.map(fieldOf));
  return (
    <form {...form.attributes}>
      <div class="limits">
        {PERIODS.map((period) => {
          const value = limits[period];
          const change = (part: Partial<Limit>) =>
            setEdited({ ...limits, [period]: { ...value, ...part } });
          const rest = left[period];
          return (
            <Card
              key={period}
              title={t[period]}
              aside={
                typeof rest === "number" && <span class="badge">{t.left(number(rest))}</span>
              }
            >
              <CheckField
                label={t.enabled}
                checked={value.isOn}
                onChecked={(isOn) => change({ isOn })}
              />
              {value.isOn ? (
                <>
                  {!value.isUnlimited && (
                    <TextField
                      label={t[`${period}Limit`]}
                      type="number"
                      min="0"
                      value={value.most}
                      onValue={(most) => change({ most })}
                      error={form.errorAt(fieldOf(period))}
                    />
                  )}
                  <CheckField
                    label={common.unlimited}
                    hint={t.unlimitedHint}
                    checked={value.isUnlimited}
                    onChecked={(isUnlimited) => change({ isUnlimited })}
                  />
                </>
              ) : (
                <p class="hint">{t.offHint}</p>
              )}
            </Card>
          );
        })}
      </div>
      <SaveBar form={form} isChanged={isChanged} onDiscard={() => setEdited(undefined)} />
    </form>
  );
}

function limit(config: SendLimits, period: Period): Limit {
  const most = config[`${period}Limit`];
  return {
    isOn: config[`${period}Enabled`],
    isUnlimited: most === UNLIMITED,
    most: most === null || most === UNLIMITED ? "" : String(most),
  };
}

function fieldOf(period: Period): string {
  return `sendMailLimitConfig.${period}Limit`;
}
