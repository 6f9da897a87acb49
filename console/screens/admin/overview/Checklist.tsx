/** The checklist from a new deployment to its first delivered mail. */

import type { ComponentChildren } from "preact";
import type { Check, CheckState } from "../../../api/overview";
import { ButtonLink } from "../../../components/Button";
import { Code } from "../../../components/Copy";
import { Icon } from "../../../components/Icon";
import { Card } from "../../../components/Page";
import { href } from "../../../state/route";
import { day, number, time } from "../../../texts/formats";
import { useOverviewTexts, type OverviewTexts } from "../../../texts/overview";
import { DnsCheck } from "./DnsCheck";

const DEPLOY = "make deploy";
const LOG = "npx wrangler tail";

/** What a check has found, and what to do about it. */
interface Advice {
  text: string;
  commands?: readonly string[];
  link?: { place: string; text: string };
}

export function Checklist({ checks }: { checks: readonly Check[] }) {
  const t = useOverviewTexts();
  const done = checks.filter(({ state }) => state === "ok");
  const open = checks.filter(({ state }) => state !== "ok");
  return (
    <Card
      title={t.setUp}
      aside={<span class="hint">{t.progress(number(done.length), number(checks.length))}</span>}
    >
      <p class="hint">{open.length ? t.intro : t.allDone}</p>
      {open.length > 0 && <Steps checks={open} />}
      {done.length > 0 && (
        <details>
          <summary>{t.show}</summary>
          <Steps checks={done} />
        </details>
      )}
    </Card>
  );
}

function Steps({ checks }: { checks: readonly Check[] }) {
  return (
    <ol class="checks">
      {checks.map((check) => (
        <Step key={check.name} check={check}>
          {check.name === "domains" && <DnsCheck isNew={check.state !== "ok"} />}
        </Step>
      ))}
    </ol>
  );
}

function Step({ check, children }: { check: Check; children?: ComponentChildren }) {
  const t = useOverviewTexts();
  return (
    <>
      <CheckRow title={t.titles[check.name]} state={check.state}>
        {adviceOn(check, t).map(({ text, commands = [], link }) => (
          <div key={text} class="advice">
            <p>{text}</p>
            {commands.map((command) => (
              <Code key={command} text={command} label={t.command(command)} />
            ))}
            {link && (
              <ButtonLink small href={href(link.place)}>
                {link.text}
              </ButtonLink>
            )}
          </div>
        ))}
      </CheckRow>
      {children}
    </>
  );
}

const BADGES: Record<CheckState, string> = {
  ok: "good",
  waiting: "waiting",
  warning: "warning",
  missing: "bad",
  unknown: "",
};

/** One row of the checklist: its title, its state, and what to do. */
export function CheckRow({
  title,
  state,
  children,
}: {
  title: string;
  /** Undefined before the check has run. */
  state: CheckState | undefined;
  children: ComponentChildren;
}) {
  const t = useOverviewTexts();
  const kind = state ? BADGES[state] : "";
  return (
    <li>
      <span class={`check-icon ${kind}`}>
        {state === "ok" && <Icon name="check" size={14} />}
      </span>
      <div>
        <div class="row">
          <h3>{title}</h3>
          {state && (
            <span class={state === "ok" ? "hidden" : `badge ${kind}`}>{t.states[state]}</span>
          )}
        </div>
        {children}
      </div>
    </li>
  );
}

function adviceOn(check: Check, t: OverviewTexts): Advice[] {
  const { name, state, details, at } = check;
  const found = t.found;
  const names = details.join(", ");
  const isOk = state === "ok";
  switch (name) {
    case "bindings":
      return isOk
        ? [{ text: found.bindings }]
        : [{ text: found.bindingsMissing(names), commands: [DEPLOY] }];
    case "secrets":
      return isOk ? [{ text: found.secrets }] : details.map((secret) => onSecret(secret, t));
    case "migrations":
      if (isOk) return [{ text: found.migrations }];
      return state === "unknown"
        ? [{ text: found.migrationsUnknown }]
        : [{ text: found.migrationsMissing(names), commands: [DEPLOY] }];
    case "cron":
      if (!at) return [{ text: found.cronMissing, commands: [DEPLOY] }];
      return isOk
        ? [{ text: found.cron(time(at)) }]
        : [{ text: found.cronLate(time(at)), commands: [DEPLOY] }];
    case "queue":
      return isOk ? [{ text: found.queue }] : onQueue(check, t);
    case "domains":
      return onDomains(check, t);
    case "address":
      return isOk
        ? [{ text: found.address }]
        : [
            {
              text: found.addressWaiting,
              link: { place: "/admin/addresses", text: t.actions.addresses },
            },
          ];
    case "balance":
      return isOk
        ? [{ text: found.balance }]
        : [
            {
              text: found.balanceWaiting,
              link: { place: "/admin/balances", text: t.actions.balances },
            },
          ];
    case "mail":
      return at
        ? [{ text: found.mail(day(at)) }]
        : [{ text: found.mailWaiting, link: { place: "/compose", text: t.actions.compose } }];
    case "events":
      if (at) return [{ text: found.events(day(at)) }];
      return state === "warning"
        ? [{ text: found.eventsWarning, commands: [DEPLOY] }]
        : [{ text: found.eventsWaiting }];
  }
}

function onSecret(name: string, { found }: OverviewTexts): Advice {
  const put = `npx wrangler secret put ${name}`;
  if (name === "JWT_SECRET") return { text: found.JWT_SECRET, commands: [put] };
  if (name === "ADMIN_PASSWORDS") return { text: found.ADMIN_PASSWORDS, commands: [put] };
  return { text: found.DISABLE_ADMIN_PASSWORD_CHECK, commands: [DEPLOY] };
}

function onQueue({ details, count }: Check, { found }: OverviewTexts): Advice[] {
  const advice: Advice[] = [];
  if (details.includes("OUTBOX")) advice.push({ text: found.OUTBOX, commands: [DEPLOY] });
  if (details.includes("SENDING_PAUSED")) {
    advice.push({ text: found.SENDING_PAUSED, commands: [DEPLOY] });
  }
  if (count) advice.push({ text: found.overdue(number(count)), commands: [LOG] });
  return advice;
}

function onDomains({ state, details }: Check, { found }: OverviewTexts): Advice[] {
  if (state === "ok") return [{ text: found.domains }];
  if (!details.length) return [{ text: found.domainsMissing, commands: [DEPLOY] }];
  const commands = details.map((domain) => `npx wrangler email sending enable ${domain}`);
  return [{ text: found.domainsWaiting(details.join(", ")), commands }];
}
