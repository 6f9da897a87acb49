/** What the address has sent, newest first, in pages that all are as quick as the first. */

import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../api/client";
import { usePolling } from "../api/poll";
import { mailOf } from "../api/sent_mail";
import { WAITING, type SendboxEntry, type SendboxPage, type SentMail } from "../api/types";
import { useGet } from "../api/use";
import { Badge } from "../components/Badge";
import { Button, ButtonLink, IconButton } from "../components/Button";
import { Confirm } from "../components/Dialog";
import { Empty, Skeleton } from "../components/Empty";
import { Icon } from "../components/Icon";
import { ProblemNotice } from "../components/Notice";
import { Page } from "../components/Page";
import { go, href, replace, route } from "../state/route";
import { site } from "../state/site";
import { useStore } from "../state/store";
import { toast } from "../state/toasts";
import { serverTime, shortTime, time } from "../texts/formats";
import { useTexts } from "../texts";

const PAGE = 25;
const TYPING_MS = 250;

/** The cursor of the page before the one of a cursor, as this visit came through them. */
const before = new Map<string, string>();

export default function Sent() {
  const t = useTexts();
  const { query } = useStore(route);
  const words = query.get("q") ?? "";
  const cursor = query.get("cursor") ?? "";
  const mayDelete = useStore(site)?.enableUserDeleteEmail;
  const [isClearing, setIsClearing] = useState(false);
  const { data, problem, reload } = useGet<SendboxPage>("/api/sendbox", {
    query: { limit: PAGE, cursor, ...(words && { q: words }) },
  });
  const isWaiting = data?.results.some(({ status }) => WAITING.includes(status)) ?? false;
  const state = JSON.stringify(data?.results.map(({ id, status }) => [id, status]));
  // New messages come to the first page, and on the others only what waits can change.
  usePolling(reload, state, { isOn: !cursor || isWaiting, problem });
  useFocusOnPaging(words, cursor);
  return (
    <Page
      title={t.sent.title}
      aside={
        mayDelete &&
        !words &&
        Boolean(data?.results.length) && (
          <Button kind="quiet" icon="trash" onClick={() => setIsClearing(true)}>
            {t.sent.clearAll}
          </Button>
        )
      }
    >
      <Search words={words} />
      {problem && <ProblemNotice problem={problem} retry={() => void reload()} />}
      {!data && !problem && <Skeleton lines={6} />}
      {data && <Messages page={data} words={words} cursor={cursor} />}
      {isClearing && (
        <Confirm
          title={t.sent.clearAllTitle}
          yes={t.sent.clearAll}
          onClose={() => setIsClearing(false)}
          action={async () => {
            await call("DELETE", "/api/clear_sent_items");
            toast(t.sent.cleared);
            replace("/sent");
            await reload();
          }}
        >
          <p>{t.sent.clearAllText}</p>
        </Confirm>
      )}
    </Page>
  );
}

/** Give the focus to the title on another page of the same list, as another screen does. */
function useFocusOnPaging(words: string, cursor: string): void {
  const last = useRef({ words, cursor });
  useEffect(() => {
    const isPaged = last.current.words === words && last.current.cursor !== cursor;
    last.current = { words, cursor };
    if (isPaged) document.querySelector("h1")?.focus();
  }, [words, cursor]);
}

function Search({ words }: { words: string }) {
  const t = useTexts();
  const [text, setText] = useState(words);
  // What was asked for from here stays as it is typed, which may have gone on meanwhile.
  const asked = useRef(words);
  useEffect(() => {
    if (words !== asked.current) setText(words);
    asked.current = words;
  }, [words]);
  const ask = () => {
    asked.current = text.trim();
    replace("/sent", { q: asked.current });
  };
  useEffect(() => {
    if (text.trim() === words) return undefined;
    const timer = setTimeout(ask, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, words]);
  return (
    <form
      role="search"
      class="search"
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <Icon name="search" />
      <input
        type="search"
        aria-label={t.sent.search}
        placeholder={t.sent.searchHint}
        maxLength={200}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {text && (
        <IconButton icon="close" label={t.sent.clear} onClick={() => go("/sent")} />
      )}
    </form>
  );
}

function Messages({ page, words, cursor }: { page: SendboxPage; words: string; cursor: string }) {
  const t = useTexts();
  const next = page.next_cursor;
  if (next) before.set(next, cursor);
  if (!page.results.length && words) {
    return (
      <Empty icon="search" title={t.sent.noneTitle}>
        <p role="status">{t.sent.noneText}</p>
      </Empty>
    );
  }
  if (!page.results.length && !cursor) {
    return (
      <Empty icon="sent" title={t.sent.emptyTitle}>
        <p>{t.sent.emptyText}</p>
        <ButtonLink href={href("/compose")} kind="primary" icon="compose">
          {t.nav.compose}
        </ButtonLink>
      </Empty>
    );
  }
  const previous = before.get(cursor);
  return (
    <>
      <ul class="messages" aria-label={t.sent.list}>
        {page.results.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ul>
      {(cursor || next) && (
        <nav class="pages" aria-label={t.sent.pages}>
          {cursor && (
            <ButtonLink href={href("/sent", { q: words })} small>
              {t.sent.newest}
            </ButtonLink>
          )}
          {cursor && previous !== undefined && (
            <ButtonLink href={href("/sent", { q: words, cursor: previous })} small icon="back">
              {t.sent.newer}
            </ButtonLink>
          )}
          {next && (
            <ButtonLink href={href("/sent", { q: words, cursor: next })} small icon="forward">
              {t.sent.older}
            </ButtonLink>
          )}
        </nav>
      )}
    </>
  );
}

function Entry({ entry }: { entry: SendboxEntry }) {
  const t = useTexts();
  const mail = mailOf(entry);
  return (
    <li>
      <a href={href(`/sent/${entry.id}`)}>
        <span class="to">
          <bdi>{mail.to_name || mail.to_mail}</bdi>
        </span>
        <span class="what">
          <bdi class="subject">{mail.subject || t.sent.noSubject}</bdi>{" "}
          <bdi class="snippet">{snippet(mail)}</bdi>
        </span>
        <Badge status={entry.status} />
        <time dateTime={serverTime(entry.created_at).toISOString()} title={time(entry.created_at)}>
          {shortTime(entry.created_at)}
        </time>
      </a>
    </li>
  );
}

/** The beginning of the text, on one line. */
function snippet(mail: SentMail): string {
  const start = mail.content.slice(0, 2000);
  const text = mail.is_html
    ? start.replace(/<(style|script|title)[\s\S]*?<\/\1>|<[^>]*>?|&\w+;/gi, " ")
    : start;
  return text.replace(/\s+/g, " ").trim().slice(0, 160);
}
