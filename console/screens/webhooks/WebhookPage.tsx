/** One webhook: its status, its secret, the actions on it, and its log. */

import { useEffect, useRef, useState } from "preact/hooks";
import { callOnce } from "../../api/client";
import { useGet } from "../../api/use";
import {
  callerOf,
  callWebhooks,
  EVENTS,
  type Base,
  type Webhook,
} from "../../api/webhooks";
import { useAction } from "../../components/action";
import { Button, ButtonLink } from "../../components/Button";
import { CopyButton } from "../../components/Copy";
import { Confirm } from "../../components/Dialog";
import { Empty, Skeleton } from "../../components/Empty";
import { Facts } from "../../components/Facts";
import { HiddenSecret } from "../../components/HiddenSecret";
import { Notice, ProblemNotice } from "../../components/Notice";
import { Card, Page } from "../../components/Page";
import { Time } from "../../components/Time";
import { go, href } from "../../state/route";
import { toast } from "../../state/toasts";
import { time } from "../../texts/formats";
import { useWebhookTexts } from "../../texts/webhooks";
import { Log } from "./Log";
import { State } from "./parts";
import { TestDialog } from "./TestDialog";
import { ChangeWebhook } from "./WebhookForm";

/** How long the previous secret signs too after a replacement. */
const BOTH_SIGN_MS = 24 * 3_600_000;

interface Props {
  base: Base;
  webhook: Webhook;
  onChanged: () => Promise<void>;
}

export function WebhookPage({ base, id }: { base: Base; id: string }) {
  const t = useWebhookTexts();
  const path = `${base}/${encodeURIComponent(id)}`;
  const { data, problem, reload } = useGet<Webhook>(path, { as: callerOf(base) });
  useFocusOnChange(data?.status);
  if (problem?.status === 404) {
    return (
      <Page title={t.notFound}>
        <Empty icon="search" title={t.notFound}>
          <p>{t.notFoundText}</p>
          <ButtonLink href={href(base)}>{t.all}</ButtonLink>
        </Empty>
      </Page>
    );
  }
  if (!data && !problem) return <Skeleton lines={6} />;
  return (
    <Page
      title={data ? new URL(data.endpoint).host : t.title}
      intro={data && <State of={data} />}
      aside={
        <ButtonLink href={href(base)} kind="quiet" icon="back">
          {t.all}
        </ButtonLink>
      }
    >
      {problem && <ProblemNotice problem={problem} retry={() => void reload()} />}
      {data && (
        <>
          <Advice base={base} webhook={data} onChanged={reload} />
          <Settings base={base} webhook={data} onChanged={reload} />
          <Secret base={base} webhook={data} onChanged={reload} />
          <Log base={base} webhook={data} />
        </>
      )}
    </Page>
  );
}

/** Focus the title when the status changes, because the button that changed it is then gone. */
function useFocusOnChange(status: Webhook["status"] | undefined): void {
  const last = useRef(status);
  useEffect(() => {
    if (last.current && last.current !== status) document.querySelector("h1")?.focus();
    last.current = status ?? last.current;
  }, [status]);
}

/** Why the webhook is disabled, or that it will be. */
function Advice({ base, webhook, onChanged }: Props) {
  const t = useWebhookTexts();
  const { busy, problem, run } = useAction();
  const { disabled_reason: reason, failing_since: since } = webhook;
  const enable = () =>
    run(async () => {
      await callWebhooks(base, "PATCH", `/${webhook.id}`, { status: "enabled" });
      toast(t.enabled);
      await onChanged();
    });
  if (webhook.status === "disabled") {
    return (
      <Notice kind="warning" title={t.disabledTitle}>
        <p>{t.reasons[reason ?? "owner"]}</p>
        {problem && <ProblemNotice problem={problem} />}
        <Button small busy={busy} onClick={() => void enable()}>
          {t.enable}
        </Button>
      </Notice>
    );
  }
  if (!since) return null;
  return (
    <Notice kind="warning" title={t.failingTitle(time(since))}>
      <p>{t.failingText}</p>
    </Notice>
  );
}

function Settings({ base, webhook, onChanged }: Props) {
  const t = useWebhookTexts();
  const [opened, setOpened] = useState<"test" | "change" | "disable" | "remove">();
  const close = () => setOpened(undefined);
  const path = `/${webhook.id}`;
  return (
    <Card>
      <Facts
        facts={[
          [t.endpoint, <Copied label={t.endpoint} text={webhook.endpoint} />],
          [t.events, <Events webhook={webhook} />],
          [t.created, <Time at={webhook.created_at} />],
          [t.id, <Copied label={t.id} text={webhook.id} />],
        ]}
      />
      <div class="row">
        <Button icon="bolt" onClick={() => setOpened("test")}>
          {t.test}
        </Button>
        <Button onClick={() => setOpened("change")}>{t.change}</Button>
        {webhook.status === "enabled" && (
          <Button onClick={() => setOpened("disable")}>{t.disable}</Button>
        )}
        <Button icon="trash" onClick={() => setOpened("remove")}>
          {t.remove}
        </Button>
      </div>
      {opened === "test" && <TestDialog base={base} webhook={webhook} onClose={close} />}
      {opened === "change" && (
        <ChangeWebhook base={base} webhook={webhook} onClose={close} onChanged={onChanged} />
      )}
      {opened === "disable" && (
        <Confirm
          title={t.disableTitle}
          yes={t.disable}
          onClose={close}
          action={async () => {
            await callWebhooks(base, "PATCH", path, { status: "disabled" });
            toast(t.disabled);
            await onChanged();
          }}
        >
          <p>{t.disableText}</p>
        </Confirm>
      )}
      {opened === "remove" && (
        <Confirm
          title={t.removeTitle}
          yes={t.remove}
          onClose={close}
          action={async () => {
            await callWebhooks(base, "DELETE", path);
            toast(t.removed);
            go(base);
          }}
        >
          <p>{t.removeText(webhook.endpoint)}</p>
        </Confirm>
      )}
    </Card>
  );
}

function Copied({ label, text }: { label: string; text: string }) {
  return (
    <div class="spread">
      <bdi>{text}</bdi>
      <CopyButton text={text} label={label} />
    </div>
  );
}

function Events({ webhook: { events } }: { webhook: Webhook }) {
  const t = useWebhookTexts();
  if (events.length === EVENTS.length) return <>{t.allEvents}</>;
  return (
    <ul class="row">
      {events.map((event) => (
        <li key={event}>
          <code>{event}</code>
        </li>
      ))}
    </ul>
  );
}

function Secret({ base, webhook, onChanged }: Props) {
  const t = useWebhookTexts();
  const [isShown, setIsShown] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const [bothUntil, setBothUntil] = useState<Date>();
  return (
    <HiddenSecret
      title={t.secret}
      text={webhook.signing_secret}
      hidden={t.secretHidden}
      isShown={isShown}
      onShown={setIsShown}
    >
      {bothUntil && (
        <Notice title={t.replacedTitle}>
          <p>{t.replacedText(time(bothUntil.toISOString()))}</p>
        </Notice>
      )}
      <div class="spread">
        <p class="hint">{t.secretText}</p>
        <Button onClick={() => setIsAsking(true)}>{t.replace}</Button>
      </div>
      {isAsking && (
        <Confirm
          title={t.replaceTitle}
          yes={t.replace}
          kind="primary"
          onClose={() => setIsAsking(false)}
          action={async () => {
            const path = `${base}/${webhook.id}/rotate_secret`;
            const options = { as: callerOf(base) };
            try {
              await callOnce("POST", path, t.maybeReplaced, options);
            } finally {
              await onChanged();
            }
            setBothUntil(new Date(Date.now() + BOTH_SIGN_MS));
            setIsShown(true);
            toast(t.replacedTitle);
          }}
        >
          <p>{t.replaceText}</p>
        </Confirm>
      )}
    </HiddenSecret>
  );
}
