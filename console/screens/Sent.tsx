/** The sent messages of the address, newest first, paged with a cursor. */

import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../api/client";
import { usePolling } from "../api/poll";
import { mailOf, outcomeOf } from "../api/sent_mail";
import { WAITING, type SendboxEntry, type SendboxPage, type SentMail } from "../api/types";
import { useGet } from "../api/use";
import { Badge } from "../components/Badge";
import { Button, ButtonLink } from "../components/Button";
import { Confirm } from "../components/Dialog";
import { Empty } from "../components/Empty";
import { Loader } from "../components/Loader";
import { Page } from "../components/Page";
import { Search } from "../components/Search";
import { href, replace, route } from "../state/route";
import { site } from "../state/site";
import { useStore } from "../state/store";
import { toast } from "../state/toasts";
import { serverTime, shortTime, time } from "../texts/formats";
import { useTexts } from "../texts";

const PAGE = 25;

/** The cursor of the previous page, by the cursor of each visited page. */
const before = new Map<string, string>();

export default function Sent() {
  const t = useTexts();
  const { query } = useStore(route);
  const words = query.get("q") ?? "";
  const cursor = query.get("cursor") ?? "";
  const mayDelete = useStore(site)?.enableUserDeleteEmail;
  const [isClearing, setIsClearing] = useState(false);
  const loaded = useGet<SendboxPage>("/api/sendbox", {
    query: { limit: PAGE, cursor, ...(words && { q: words }) },
  });
  const { data, problem, reload } = loaded;
  const isWaiting = data?.results.some(({ status }) => WAITING.includes(status)) ?? false;
  const state = JSON.stringify(data?.results.map((entry) => [entry.id, outcomeOf(entry)]));
  // New messages appear on the first page; other pages change only while a message waits.
  usePolling(reload, state, { isOn: !cursor || isWaiting, problem });
  useFocusOnPaging(words, cursor);
  return (
    <Page
      title={t.nav.sent}
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
      <Search
        label={t.sent.search}
        hint={t.sent.searchHint}
        clear={t.sent.clear}
        maxLength={200}
        value={words}
        onSearch={(q) => replace("/sent", { q })}
      />
      <Loader from={loaded}>
        {(page) => <Messages page={page} words={words} cursor={cursor} />}
      </Loader>
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

/** Focus the title when another page of the list is shown, as when another screen is shown. */
function useFocusOnPaging(words: string, cursor: string): void {
  const last = useRef({ words, cursor });
  useEffect(() => {
    const isPaged = last.current.words === words && last.current.cursor !== cursor;
    last.current = { words, cursor };
    if (isPaged) document.querySelector("h1")?.focus();
  }, [words, cursor]);
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
        <nav class="pages row" aria-label={t.sent.pages}>
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
        <span class="to one-line-text">
          <bdi>{mail.to_name || mail.to_mail}</bdi>
        </span>
        <span class="what one-line-text">
          <bdi class="subject">{mail.subject || t.sent.noSubject}</bdi>{" "}
          <bdi class="snippet">{snippet(mail)}</bdi>
        </span>
        <Badge status={outcomeOf(entry)} />
        <time dateTime={serverTime(entry.created_at).toISOString()} title={time(entry.created_at)}>
          {shortTime(entry.created_at)}
        </time>
      </a>
    </li>
  );
}

/** The start of the text, on one line. */
function snippet(mail: SentMail): string {
  const start = mail.content.slice(0, 2000);
  const text = mail.is_html
    ? start.replace(/<(style|script|title)[\s\S]*?<\/\1>|<[^>]*>?|&\w+;/gi, " ")
    : start;
  return text.replace(/\s+/g, " ").trim().slice(0, 160);
}
