/** One message: its status, its content, and the actions on it. */

import type { ComponentProps } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { call, Problem } from "../api/client";
import { usePolling } from "../api/poll";
import { mailbox, mailOf } from "../api/sent_mail";
import { WAITING, type SendResponse, type SendboxMessage, type SentMail } from "../api/types";
import { useGet } from "../api/use";
import { Badge } from "../components/Badge";
import { Button, ButtonLink } from "../components/Button";
import { Confirm } from "../components/Dialog";
import { Empty, Skeleton } from "../components/Empty";
import { TimeField } from "../components/Field";
import { fieldErrors } from "../components/form";
import type { IconName } from "../components/Icon";
import { Notice, ProblemNotice } from "../components/Notice";
import { Card, Page } from "../components/Page";
import { isEmpty, newDraft, newKey, readDraft, writeDraft, type Draft } from "../state/drafts";
import { go, href, route } from "../state/route";
import { session } from "../state/session";
import { site } from "../state/site";
import { useStore } from "../state/store";
import { toast } from "../state/toasts";
import { apiTime, exactTime, localInput, size } from "../texts/formats";
import { lang, texts, useTexts } from "../texts";
import { AdminActions } from "./message/AdminActions";
import { EmlButton } from "./message/EmlButton";
import { isFinalFailure, Failure } from "./message/failure";
import { Content, Details, History, Recipients } from "./message/parts";
import { OWN, type Source } from "./messages/source";

const EVENTS_MS = 10 * 60_000;

export default function Message({ id, source = OWN }: { id: string; source?: Source }) {
  const t = useTexts();
  const path = `${source.path}/${encodeURIComponent(id)}`;
  const { data: message, problem, reload } = useGet<SendboxMessage>(path, { as: source.as });
  // Delivery events may still arrive for some time after sending.
  const isYoung =
    message?.finished_at != null && Date.now() - Date.parse(message.finished_at) < EVENTS_MS;
  const mayChange = message !== undefined && (WAITING.includes(message.status) || isYoung);
  const state = JSON.stringify([message?.status, message?.history.length]);
  usePolling(reload, state, { isOn: mayChange, problem });
  useReloadInLanguage(reload);
  if (problem?.status === 404) return <Gone source={source} />;
  if (!message) {
    return problem ? (
      <Page title={t.nav.sent}>
        <ProblemNotice problem={problem} retry={() => void reload()} />
      </Page>
    ) : (
      <Skeleton lines={5} />
    );
  }
  return <Loaded {...{ source, message, problem, reload }} />;
}

/** Reload when the language changes, because the server explains failures in this language. */
function useReloadInLanguage(reload: () => Promise<void>): void {
  const language = useStore(lang);
  const loadedIn = useRef(language);
  useEffect(() => {
    if (loadedIn.current === language) return;
    loadedIn.current = language;
    void reload();
  }, [language]);
}

/** The link back to the place in the list from which the message was opened. */
function BackLink({ source, kind }: { source: Source; kind?: "quiet" }) {
  const from = useStore(route).query.get("from") ?? "";
  const list = href(source.place, Object.fromEntries(new URLSearchParams(from)));
  return (
    <ButtonLink href={list} kind={kind} icon="back">
      {useTexts().message.back}
    </ButtonLink>
  );
}

function Gone({ source }: { source: Source }) {
  const t = useTexts();
  return (
    <Page title={t.message.gone}>
      <Empty icon="search" title={t.message.gone}>
        <p>{t.message.goneText}</p>
        <BackLink source={source} />
      </Empty>
    </Page>
  );
}

function Loaded({
  source,
  message,
  problem,
  reload,
}: {
  source: Source;
  message: SendboxMessage;
  problem?: Problem;
  reload: () => Promise<void>;
}) {
  const t = useTexts();
  const mail = useMemo(() => mailOf(message), [message]);
  return (
    <Page
      title={mail.subject || t.sent.noSubject}
      intro={
        <span class="row">
          <Badge of={message} />
          <span>{exactTime(message.created_at)}</span>
        </span>
      }
      aside={<BackLink source={source} kind="quiet" />}
    >
      {problem && <ProblemNotice problem={problem} retry={() => void reload()} />}
      <Advice message={message} place={source.place} />
      {source.as === "admin" ? (
        <AdminActions message={message} />
      ) : (
        <Actions message={message} mail={mail} reload={reload} />
      )}
      <Card title={t.message.recipients}>
        <Recipients message={message} mail={mail} />
      </Card>
      <div class="columns">
        <Card title={t.message.history}>
          <History message={message} />
        </Card>
        <Card title={t.message.details}>
          <Details message={message} />
        </Card>
      </div>
      <Card title={t.message.content} aside={<EmlButton message={message} mail={mail} />}>
        <Content message={message} mail={mail} />
      </Card>
      {message.attachments.length > 0 && (
        <Card title={t.compose.attachments}>
          <ul class="files">
            {message.attachments.map((file, index) => (
              <li key={index}>
                <bdi>{file.filename}</bdi>
                <span class="hint">{size(file.size)}</span>
              </li>
            ))}
          </ul>
          <p class="hint">{t.message.attachmentsHint}</p>
        </Card>
      )}
    </Page>
  );
}

/** Notices that explain some statuses, and links between a message and the one that repeats it. */
function Advice({ message, place }: { message: SendboxMessage; place: string }) {
  const t = useTexts();
  const { status } = message;
  return (
    <>
      {status === "unknown" && (
        <Notice kind="warning" title={t.compose.doubts.unknown.title}>
          <p>{t.message.unknownText}</p>
        </Notice>
      )}
      {status === "failed" && <Failure message={message} />}
      {status === "queued" && (
        <Notice>
          <p>{t.message.queuedText}</p>
        </Notice>
      )}
      {message.retried_as && (
        <Notice>
          <a href={href(`${place}/${message.retried_as}`)}>{t.message.retriedAs}</a>
        </Notice>
      )}
      {message.retry_of && (
        <Notice>
          <a href={href(`${place}/${message.retry_of}`)}>{t.message.retryOf}</a>
        </Notice>
      )}
    </>
  );
}

type Question = "again" | "cancel" | "time" | "delete" | "replace";

function Actions({
  message,
  mail,
  reload,
}: {
  message: SendboxMessage;
  mail: SentMail;
  reload: () => Promise<void>;
}) {
  const t = useTexts();
  const mayDelete = useStore(site)?.enableUserDeleteEmail;
  const address = useStore(session).address!;
  const [question, setQuestion] = useState<Question>();
  const [key] = useState(newKey);
  const [laterAt, setLaterAt] = useState(
    message.scheduled_at ? localInput(new Date(message.scheduled_at)) : "",
  );
  const { status } = message;
  const hasContent = message.text !== null || message.html !== null;
  const mayRepeat =
    (status === "failed" || status === "unknown") && hasContent && !message.attachments.length;
  const maySettle = status === "scheduled" || status === "queued";
  const path = `/api/sendbox/${encodeURIComponent(message.id)}`;
  const email = `/emails/${encodeURIComponent(message.id)}`;

  const copy = async () => {
    await writeDraft(address, copyOf(message, mail));
    const left = [
      !hasContent && t.compose.body,
      message.attachments.length && t.compose.attachments,
      message.html !== null && message.text !== null && t.compose.plain,
      Object.keys(message.headers).length && t.message.headers,
      message.tags.length && t.message.tags,
    ].filter((part) => typeof part === "string");
    if (left.length) toast(t.compose.copiedWithout(left), "bad");
    go("/compose");
  };
  const askToCopy = async () => {
    if (message.content_truncated) return toast(t.message.tooLongToCopy, "bad");
    const draft = await readDraft(address);
    if (draft && !isEmpty(draft)) setQuestion("replace");
    else await copy();
  };

  const isFinal = isFinalFailure(message);
  const repeat = [mayRepeat, "refresh", t.message.sendAgain, () => setQuestion("again")] as const;
  const buttons: (readonly [boolean | undefined, IconName, string, () => void])[] = [
    ...(isFinal ? [] : [repeat]),
    [status === "scheduled", "clock", t.message.reschedule, () => setQuestion("time")],
    [maySettle, "close", t.message.cancel, () => setQuestion("cancel")],
    [true, "copy", t.message.copyAsNew, () => void askToCopy()],
    ...(isFinal ? [repeat] : []),
    [mayDelete, "trash", t.common.delete, () => setQuestion("delete")],
  ];
  const dialogs: Record<Question, Omit<ComponentProps<typeof Confirm>, "onClose">> = {
    again: {
      title: t.message.sendAgainTitle,
      yes: t.message.sendAgain,
      kind: status === "unknown" ? "danger" : "primary",
      action: async () => {
        go(`/sent/${await sendAgain(path, key)}`);
      },
      children: (
        <>
          <p>{t.message.sendAgainText}</p>
          {isFinal && (
            <Notice kind="warning" title={message.explanation ?? undefined}>
              <p>{t.message.sendAgainFinal}</p>
            </Notice>
          )}
          {status === "unknown" && (
            <Notice kind="warning">
              <p>{t.message.sendAgainUnknown}</p>
            </Notice>
          )}
        </>
      ),
    },
    cancel: {
      title: t.message.cancelTitle,
      yes: t.message.cancel,
      action: async () => {
        await call("POST", `${email}/cancel`);
        toast(t.message.cancelled);
        await reload();
      },
      children: <p>{t.message.cancelText}</p>,
    },
    time: {
      title: t.message.reschedule,
      yes: t.common.save,
      kind: "primary",
      action: async () => {
        const body = { scheduled_at: apiTime(laterAt) };
        await call("PATCH", email, { body }).catch((error: unknown) => {
          const isTime = error instanceof Problem && error.errors.length > 0;
          throw isTime ? fieldErrors({ scheduled_at: t.compose.laterWrong }) : error;
        });
        toast(t.message.rescheduled);
        await reload();
      },
      children: (
        <TimeField
          label={t.compose.laterAt}
          hint={t.compose.laterHint}
          value={laterAt}
          onValue={setLaterAt}
        />
      ),
    },
    delete: {
      title: t.message.deleteTitle,
      yes: t.common.delete,
      action: async () => {
        await call("DELETE", path);
        toast(t.message.deleted);
        go("/sent");
      },
      children: <p>{t.message.deleteText}</p>,
    },
    replace: {
      title: t.compose.replaceTitle,
      yes: t.compose.replace,
      kind: "primary",
      action: copy,
      children: <p>{t.compose.replaceText}</p>,
    },
  };
  return (
    <div class="row">
      {buttons.map(
        ([isShown, icon, label, onClick]) =>
          isShown && (
            <Button key={icon} icon={icon} onClick={onClick}>
              {label}
            </Button>
          ),
      )}
      {question && (
        <Confirm {...dialogs[question]} key={question} onClose={() => setQuestion(undefined)} />
      )}
    </div>
  );
}

/**
 * Send the message at `path` as a new one, and return the id of the new one.
 *
 * A new message that the provider rejects is stored too, and its page says why.
 */
async function sendAgain(path: string, key: string): Promise<string> {
  const t = texts();
  const headers = { "Idempotency-Key": key };
  try {
    const { id } = await call<SendResponse>("POST", `${path}/retry`, { headers });
    toast(t.message.sentAgain);
    return id;
  } catch (error) {
    if (!(error instanceof Problem) || !error.messageId) throw error;
    toast(t.compose.failedTitle, "bad");
    return error.messageId;
  }
}

/** A draft with the stored content of this message. */
function copyOf(message: SendboxMessage, mail: SentMail): Draft {
  const mailboxes = (kind: string) =>
    message.recipients
      .filter((recipient) => recipient.kind === kind)
      .map(({ address, name }) => mailbox(address, name))
      .join(", ");
  const isHtml = message.html !== null;
  return {
    ...newDraft(),
    fromName: mail.from_name,
    to: mailboxes("to"),
    cc: mailboxes("cc"),
    bcc: mailboxes("bcc"),
    replyTo: message.reply_to ? mailbox(message.reply_to.address, message.reply_to.name) : "",
    subject: mail.subject,
    isHtml,
    body: (isHtml ? message.html : message.text) ?? "",
  };
}
