/** The sent messages of the address, newest first, paged with a cursor. */

import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../api/client";
import { usePolling } from "../api/poll";
import { mailOf, outcomeKey } from "../api/sent_mail";
import {
  WAITING,
  type DeliveryKind,
  type SendboxEntry,
  type SendboxPage,
  type SentMail,
} from "../api/types";
import { useGet } from "../api/use";
import { Badge } from "../components/Badge";
import { Button, ButtonLink } from "../components/Button";
import { DeliveryFilter, filterOf } from "../components/DeliveryFilter";
import { Confirm } from "../components/Dialog";
import { Empty } from "../components/Empty";
import { Loader } from "../components/Loader";
import { Menu } from "../components/Menu";
import { Page } from "../components/Page";
import { Search } from "../components/Search";
import { go, href, replace, route } from "../state/route";
import { site } from "../state/site";
import { tabStorage } from "../state/storage";
import { useStore } from "../state/store";
import { toast } from "../state/toasts";
import { serverTime, shortTime, time } from "../texts/formats";
import { useTexts, type Texts } from "../texts";

const PAGE = 25;

/** What the list shows: the search, the filter, and the page. */
interface Shown {
  words: string;
  delivery: DeliveryKind | "";
  cursor: string;
}

/** The cursor of the previous page, by the key of each visited page. A reload keeps it. */
const before = {
  get: (key: string) => tabStorage.get(`before:${key}`) ?? undefined,
  set: (key: string, cursor: string) => tabStorage.set(`before:${key}`, cursor),
};

function pageKey({ words, delivery, cursor }: Shown): string {
  return JSON.stringify([words, delivery, cursor]);
}

export default function Sent() {
  const t = useTexts();
  const { query } = useStore(route);
  const words = query.get("q") ?? "";
  const cursor = query.get("cursor") ?? "";
  const delivery = filterOf(query.get("delivery"));
  const shown = { words, delivery, cursor };
  const mayDelete = useStore(site)?.enableUserDeleteEmail;
  const [isClearing, setIsClearing] = useState(false);
  const loaded = useGet<SendboxPage>("/api/sendbox", {
    query: {
      limit: PAGE,
      cursor,
      ...(words && { q: words }),
      ...(delivery && { delivery_status: delivery }),
    },
  });
  const { data, problem, reload } = loaded;
  const isWaiting = data?.results.some(({ status }) => WAITING.includes(status)) ?? false;
  const state = JSON.stringify(data?.results.map(outcomeKey));
  // New messages appear on the first page; other pages change only while a message waits.
  usePolling(reload, state, { isOn: !cursor || isWaiting, problem });
  useFocusOnPaging(shown);
  return (
    <Page
      width="wide"
      title={t.nav.sent}
      aside={
        mayDelete &&
        !words &&
        !delivery &&
        Boolean(data?.results.length) && (
          <Menu label={t.common.more}>
            <Button kind="quiet" icon="trash" onClick={() => setIsClearing(true)}>
              {t.sent.clearAll}
            </Button>
          </Menu>
        )
      }
    >
      <div class="list-tools">
        <Search
          label={t.sent.search}
          hint={t.sent.searchHint}
          clear={t.sent.clear}
          maxLength={200}
          value={words}
          onSearch={(q) => {
            const { query: current } = route.get(); // the filter may have changed
            replace("/sent", { q, delivery: filterOf(current.get("delivery")) });
          }}
        />
        <DeliveryFilter
          value={delivery}
          onValue={(chosen) => go("/sent", { q: words, delivery: chosen })}
        />
      </div>
      <Loader from={loaded}>{(page) => <Messages page={page} shown={shown} />}</Loader>
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
function useFocusOnPaging(shown: Shown): void {
  const { words, delivery, cursor } = shown;
  const last = useRef(shown);
  useEffect(() => {
    const isSameList = last.current.words === words && last.current.delivery === delivery;
    const isPaged = isSameList && last.current.cursor !== cursor;
    last.current = shown;
    if (isPaged) document.querySelector("h1")?.focus();
  }, [words, delivery, cursor]);
}

function Messages({ page, shown }: { page: SendboxPage; shown: Shown }) {
  const t = useTexts();
  const { words, delivery, cursor } = shown;
  const next = page.next_cursor;
  if (next) before.set(pageKey({ ...shown, cursor: next }), cursor);
  const isFiltered = words !== "" || delivery !== "";
  if (!page.results.length && !cursor && !isFiltered) {
    return (
      <Empty icon="sent" title={t.sent.emptyTitle}>
        <p>{t.sent.emptyText}</p>
        <ButtonLink href={href("/compose")} kind="primary" icon="compose">
          {t.nav.compose}
        </ButtonLink>
      </Empty>
    );
  }
  const previous = before.get(pageKey(shown));
  const at = (target: string) => href("/sent", { q: words, delivery, cursor: target });
  return (
    <>
      {page.results.length || !isFiltered ? (
        <ul class="messages" aria-label={t.sent.list}>
          {page.results.map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
        </ul>
      ) : (
        <Empty icon="search" title={t.sent.noneTitle}>
          <p role="status">{noneText(t.sent, shown, next)}</p>
        </Empty>
      )}
      {(cursor || next) && (
        <nav class="pages row" aria-label={t.sent.pages}>
          {cursor && (
            <ButtonLink href={at("")} small>
              {t.sent.newest}
            </ButtonLink>
          )}
          {cursor && previous !== undefined && (
            <ButtonLink href={at(previous)} small icon="back">
              {t.sent.newer}
            </ButtonLink>
          )}
          {next && (
            <ButtonLink href={at(next)} small icon="forward">
              {t.sent.older}
            </ButtonLink>
          )}
        </nav>
      )}
    </>
  );
}

/** Why a page of a filtered list is empty. With a next page, only newer messages were searched. */
function noneText(t: Texts["sent"], { words, delivery }: Shown, next?: string | null): string {
  if (next) return t.noneYet;
  if (!delivery) return t.noneText;
  return words ? t.noneOfBoth : t.noneFiltered;
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
        <Badge of={entry} />
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
    ? unescaped(start.replace(/<(style|script|title)[\s\S]*?<\/\1>|<[^>]*>?/gi, " "))
    : start;
  return text.replace(/\s+/g, " ").trim().slice(0, 160);
}

/** `text` with its character references replaced; a text area reads no elements. */
function unescaped(text: string): string {
  const area = document.createElement("textarea");
  area.innerHTML = text.replaceAll("<", "&lt;");
  return area.value;
}
