/** The screen that writes and sends a message. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Problem } from "../api/client";
import { Button, ButtonLink } from "../components/Button";
import { Confirm } from "../components/Dialog";
import { Skeleton } from "../components/Empty";
import { focusFirstError, TextField, TimeField } from "../components/Field";
import { FileButton } from "../components/FileButton";
import { Notice } from "../components/Notice";
import { Page } from "../components/Page";
import { isEmpty, type Draft } from "../state/drafts";
import { href } from "../state/route";
import { site } from "../state/site";
import { useStore } from "../state/store";
import { localInput, number } from "../texts/formats";
import { describe } from "../texts/problems";
import { useTexts } from "../texts";
import { Attachments, useReading } from "./compose/Attachments";
import { Body } from "./compose/Body";
import { MOST_RECIPIENTS, recipientCount } from "./compose/check";
import { ErrorSummary } from "./compose/ErrorSummary";
import { errorsByField, type ErrorField } from "./compose/errors";
import { RecipientsField } from "./compose/Recipients";
import { TestMail } from "./compose/TestMail";
import { useDraft, type Drafting } from "./compose/use_draft";
import { useSending, type Doubt, type Sending } from "./compose/use_sending";

/** `address` is the sender. It does not change while the component is mounted. */
export default function Compose({ address }: { address: string }) {
  const drafting = useDraft(address);
  const sending = useSending(drafting);
  const { draft } = drafting;
  if (!draft) return <Skeleton lines={5} />;
  return <Form {...{ address, draft, drafting, sending }} />;
}

function Form({
  address,
  draft,
  drafting,
  sending,
}: {
  address: string;
  draft: Draft;
  drafting: Drafting;
  sending: Sending;
}) {
  const t = useTexts();
  const { edit, saved } = drafting;
  const { problem, progress, doubt } = sending;
  const isEnabled = useStore(site)?.enableSendMail ?? true;
  const form = useRef<HTMLFormElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const [isAsking, setIsAsking] = useState(false);
  const [hasMore, setHasMore] = useState(false);
  // The errors name recipients by position, and later edits may move recipients. So this uses the
  // draft as it was sent.
  const { at: found, elsewhere, wrong } = useMemo(
    () => ({ ...errorsByField(problem, draft), wrong: draft }),
    [problem],
  );
  // An error disappears when its field is edited.
  const at: typeof found = {};
  for (const name of NAMES) {
    if (found[name] && draft[name] === wrong[name]) at[name] = found[name];
  }
  const labels: Record<ErrorField, string> = {
    ...t.compose,
    files: t.compose.attachments,
  };
  const errors = NAMES.flatMap((name) =>
    at[name] ? [{ name, label: labels[name], error: at[name] }] : [],
  );
  const isCheckedHere = problem?.code === "wrong_here";
  const isSummed = isCheckedHere && errors.length > 1;
  const isSending = progress !== undefined;
  const hasCopies = Boolean(draft.cc + draft.bcc + draft.replyTo);
  useEffect(() => {
    if (hasCopies) setHasMore(true);
  }, [hasCopies]);
  const showsMore = hasMore || hasCopies || Boolean(at.cc ?? at.bcc ?? at.replyTo);
  const { reading, add } = useReading((file) => {
    edit((old) => {
      const files = [...old.files, file];
      if (!file.contentId) return { files };
      const alt = file.name.replace(/[&<>"]/g, "");
      const image = `<img src="cid:${file.contentId}" alt="${alt}">`;
      const place = area.current?.selectionStart ?? old.body.length;
      return { files, body: old.body.slice(0, place) + image + old.body.slice(place) };
    });
  });
  const field = (name: "fromName" | "to" | "cc" | "bcc" | "replyTo" | "subject") => ({
    name,
    value: draft[name],
    onValue: (value: string) => edit({ [name]: value }),
    error: at[name],
  });
  const advice = (problem: Problem) => {
    if (problem.isUnclear) return t.compose.lost;
    const isAllAtFields = problem.errors.length > 0 && !elsewhere.length;
    return isAllAtFields ? t.compose.seeFields : describe(problem);
  };
  useEffect(() => {
    if (problem ?? doubt) focusFirstError(form.current);
  }, [problem, doubt]);

  return (
    <Page title={t.compose.title}>
      {!isEnabled && (
        <Notice kind="warning">
          <p>{t.compose.disabled}</p>
        </Notice>
      )}
      <form
        ref={form}
        class="card compose"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void sending.send();
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.isComposing) return;
          const isOrder = event.ctrlKey || event.metaKey;
          // Enter in a field is often a slip, and sending is irreversible.
          if (isOrder || event.target instanceof HTMLInputElement) event.preventDefault();
          if (isOrder && !event.repeat && !reading.length) void sending.send();
        }}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          if (isSending) return; // the running request lacks these files
          void add([...(event.dataTransfer?.files ?? [])]);
        }}
      >
        {isSummed && <ErrorSummary errors={errors} form={form.current} />}
        <fieldset disabled={isSending} class="stack">
          <div class="pair">
            <div class="field">
              <span class="label">{t.compose.from}</span>
              <bdi class="from">{address}</bdi>
            </div>
            <TextField
              label={t.compose.fromName}
              autocomplete="name"
              {...field("fromName")}
            />
          </div>
          <RecipientsField
            label={t.compose.to}
            hint={
              <>
                <span role="status" class="recipient-count">
                  {t.compose.count(number(recipientCount(draft)), number(MOST_RECIPIENTS))}
                </span>{" "}
                {t.compose.recipientsHint}
              </>
            }
            {...field("to")}
            aside={
              !showsMore && (
                <button type="button" class="link" onClick={() => setHasMore(true)}>
                  {t.compose.addCc}
                </button>
              )
            }
          />
          {showsMore && (
            <>
              <div class="pair">
                <RecipientsField label={t.compose.cc} {...field("cc")} />
                <RecipientsField label={t.compose.bcc} {...field("bcc")} />
              </div>
              <TextField
                label={t.compose.replyTo}
                hint={t.compose.replyToHint}
                autocomplete="off"
                spellcheck={false}
                {...field("replyTo")}
              />
            </>
          )}
          <TextField
            label={t.compose.subject}
            autocomplete="off"
            spellcheck
            dir="auto"
            {...field("subject")}
          />
          <Body
            draft={draft}
            error={at.body}
            onBody={(body) => edit({ body })}
            area={area}
            tools={
              <>
                <Format draft={draft} edit={edit} />
                <FileButton
                  label={t.compose.attach}
                  icon="clip"
                  multiple
                  onFiles={(files) => void add(files)}
                />
                {draft.isHtml && (
                  <FileButton
                    label={t.compose.insertImage}
                    icon="image"
                    accept="image/png,image/jpeg,image/gif,image/webp"
                    onFiles={(files) => void add(files, true)}
                  />
                )}
              </>
            }
          />
          <Attachments
            draft={draft}
            reading={reading}
            error={at.files}
            onRemove={(id) =>
              edit((old) => ({ files: old.files.filter((file) => file.id !== id) }))
            }
          />
          <When draft={draft} edit={edit} error={at.laterAt} />
          <TestMail draft={draft} edit={edit} />
        </fieldset>
        {problem && !isSummed && (errors.length > 0 || !isCheckedHere) && (
          <Notice
            kind="bad"
            title={
              problem.isUnclear
                ? t.compose.doubts.unknown.title
                : problem.messageId
                  ? t.compose.failedTitle
                  : t.compose.notSentTitle
            }
          >
            <p>{advice(problem)}</p>
            {elsewhere.map(({ field, message }) => (
              <p key={field}>
                <code>{field}</code>: {message}
              </p>
            ))}
            {problem.messageId && (
              <a href={href(`/sent/${problem.messageId}`)}>{t.compose.openMessage}</a>
            )}
          </Notice>
        )}
        {draft.attemptedAt !== undefined && !isSending && !problem && !doubt && (
          <Notice kind="warning" title={t.compose.doubts.unknown.title}>
            <p>{t.compose.lost}</p>
          </Notice>
        )}
        {doubt && !isEmpty(draft) && <InDoubt doubt={doubt} sendAsNew={sending.sendAsNew} />}
        <div class="compose-end">
          <Button
            type="submit"
            kind="primary"
            icon={draft.isLater ? "clock" : "sent"}
            busy={isSending}
            disabled={reading.length > 0}
            aria-keyshortcuts="Control+Enter Meta+Enter"
            title={t.compose.sendKeys}
          >
            {isSending
              ? t.compose.sending(Math.round(progress * 100))
              : draft.isLater
                ? t.compose.sendLater
                : t.compose.send}
          </Button>
          {isSending && draft.files.length > 0 && (
            <progress value={progress} aria-label={t.compose.sending(Math.round(progress * 100))} />
          )}
          <span class="hint" role="status">
            {saved === "yes" && t.compose.saved}
            {saved === "page" && t.compose.notSaved}
          </span>
          {!isEmpty(draft) && !isSending && (
            <Button kind="quiet" icon="trash" onClick={() => setIsAsking(true)}>
              {t.compose.discard}
            </Button>
          )}
        </div>
      </form>
      {isAsking && (
        <Confirm
          title={t.compose.discardTitle}
          yes={t.compose.discard}
          onClose={() => setIsAsking(false)}
          action={drafting.discard}
        >
          <p>{t.compose.discardText}</p>
        </Confirm>
      )}
    </Page>
  );
}

/** Asks the writer whether to send the draft as a new message. */
function InDoubt({ doubt, sendAsNew }: { doubt: Doubt; sendAsNew: () => Promise<void> }) {
  const t = useTexts();
  const { title, text } = t.compose.doubts[doubt.why];
  return (
    <Notice kind="bad" title={title}>
      <p>{text}</p>
      <div class="row">
        {doubt.id ? (
          <ButtonLink href={href(`/sent/${doubt.id}`)} small icon="sent">
            {t.compose.openMessage}
          </ButtonLink>
        ) : (
          <ButtonLink href={href("/sent")} small icon="sent">
            {t.compose.openSent}
          </ButtonLink>
        )}
        <Button small icon="refresh" onClick={() => void sendAsNew()}>
          {t.compose.sendAsNew}
        </Button>
      </div>
    </Notice>
  );
}

const NAMES = [
  "fromName", "to", "cc", "bcc", "replyTo", "subject", "body", "files", "laterAt",
] as const satisfies readonly ErrorField[];

interface PartProps {
  draft: Draft;
  edit: Drafting["edit"];
}

function Format({ draft, edit }: PartProps) {
  const t = useTexts();
  return (
    <fieldset class="segments">
      <legend class="hidden">{t.compose.format}</legend>
      {[false, true].map((isHtml) => (
        <label key={String(isHtml)}>
          <input
            type="radio"
            name="format"
            checked={draft.isHtml === isHtml}
            onChange={() => edit({ isHtml })}
          />
          <span>{isHtml ? t.compose.html : t.compose.plain}</span>
        </label>
      ))}
    </fieldset>
  );
}

function When({ draft, edit, error }: PartProps & { error?: string }) {
  const t = useTexts();
  const inAnHour = () => localInput(new Date(Date.now() + 3_600_000));
  return (
    <div class="when">
      <fieldset>
        <legend>{t.compose.when}</legend>
        <div class="choice">
          {[false, true].map((isLater) => (
            <label key={String(isLater)}>
              <input
                type="radio"
                name="when"
                checked={draft.isLater === isLater}
                onChange={() => edit({ isLater, laterAt: draft.laterAt || inAnHour() })}
              />
              {isLater ? t.compose.later : t.compose.now}
            </label>
          ))}
        </div>
      </fieldset>
      {draft.isLater && (
        <TimeField
          name="laterAt"
          label={t.compose.laterAt}
          hint={t.compose.laterHint}
          value={draft.laterAt}
          onValue={(laterAt) => edit({ laterAt })}
          error={error}
        />
      )}
    </div>
  );
}
