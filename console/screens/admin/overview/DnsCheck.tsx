/** The row of the checklist about the DNS records of the sending domains. */

import { useEffect, useState } from "preact/hooks";
import { callAsAdmin, type DnsRecord } from "../../../api/admin";
import type { CheckState } from "../../../api/overview";
import { useAction } from "../../../components/action";
import { Button, ButtonLink } from "../../../components/Button";
import { ProblemNotice } from "../../../components/Notice";
import { href } from "../../../state/route";
import { site } from "../../../state/site";
import { useStore } from "../../../state/store";
import { useTexts } from "../../../texts";
import { useOverviewTexts } from "../../../texts/overview";
import { CheckRow } from "./Checklist";

/** The number of domains that are checked; the screen of the domains checks each. */
const MOST_DOMAINS = 3;

interface Found {
  domain: string;
  records: readonly DnsRecord[];
}

/** `isNew` starts the check at once. Otherwise it starts with a click. */
export function DnsCheck({ isNew }: { isNew: boolean }) {
  const t = useOverviewTexts();
  const domains = (useStore(site)?.domains ?? []).slice(0, MOST_DOMAINS);
  const { busy, problem, run } = useAction();
  const [found, setFound] = useState<readonly Found[]>();
  const check = () =>
    run(async () => {
      setFound(
        await Promise.all(
          domains.map(async (domain) => {
            const path = `/admin/domains/${encodeURIComponent(domain)}/dns`;
            const { records } = await callAsAdmin<{ records: DnsRecord[] }>("GET", path);
            return { domain, records };
          }),
        ),
      );
    });
  useEffect(() => {
    if (isNew && domains.length) void check();
  }, []);
  return (
    <CheckRow title={t.titles.dns} state={found && worst(found)}>
      <div role="status">
        {found?.map((one) => <Result key={one.domain} {...one} />) ?? (
          <p>{domains.length ? t.found.dnsBefore : t.found.dnsNone}</p>
        )}
      </div>
      {problem && <ProblemNotice problem={problem} />}
      {domains.length > 0 && (
        <div class="row">
          <Button small icon="refresh" busy={busy} onClick={() => void check()}>
            {found ? t.actions.checkAgain : t.actions.checkDns}
          </Button>
          <ButtonLink small href={href("/admin/domains")}>
            {t.actions.domains}
          </ButtonLink>
        </div>
      )}
    </CheckRow>
  );
}

function Result({ domain, records }: Found) {
  const { found } = useOverviewTexts();
  const names = useTexts().admin.domains.records;
  const wrong = records.filter(({ state }) => state === "missing" || state === "wrong");
  const has = (wanted: DnsRecord["state"]) => records.some(({ state }) => state === wanted);
  const text = wrong.length
    ? found.dnsWrong(domain, wrong.map(({ kind }) => names[kind]).join(", "))
    : has("unknown")
      ? found.dnsUnknown(domain)
      : has("weak")
        ? found.dnsWeak(domain)
        : found.dnsOk(domain);
  return <p>{text}</p>;
}

function worst(found: readonly Found[]): CheckState {
  const states = found.flatMap(({ records }) => records.map(({ state }) => state));
  if (states.includes("missing") || states.includes("wrong")) return "missing";
  if (states.includes("unknown")) return "unknown";
  return states.includes("weak") ? "warning" : "ok";
}
