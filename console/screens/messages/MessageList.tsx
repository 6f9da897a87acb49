/** A list of messages, newest first, with filters, paged with a cursor. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { usePolling } from "../../api/poll";
import { outcomeKey } from "../../api/sent_mail";
import { WAITING } from "../../api/types";
import { useLoad, type Loaded } from "../../api/use";
import { ButtonLink } from "../../components/Button";
import { Empty } from "../../components/Empty";
import { Loader } from "../../components/Loader";
import { go, href, replace, route } from "../../state/route";
import { tabStorage } from "../../state/storage";
import { useStore } from "../../state/store";
import { useTexts, type Texts } from "../../texts";
import { Entry } from "./Entry";
import { FilterBar } from "./FilterBar";
import { filtersOf, type Filters } from "./filters";
import { loadPage, type FoundPage } from "./load_page";
import type { Source } from "./source";

const PAGE = 25;

export interface Shown {
  filters: Filters;
  /** Whether the list leaves out messages. */
  isFiltered: boolean;
  loaded: Loaded<FoundPage>;
}

/** The filters and the page that the route names. */
export function useMessages(source: Source): Shown {
  const { query } = useStore(route);
  const filters = filtersOf(query);
  const cursor = query.get("cursor") ?? "";
  const key = [source.path, filters, cursor];
  const loaded = useLoad(key, () => loadPage(source, filters, { limit: PAGE, cursor }));
  const { data, problem, reload } = loaded;
  const isWaiting = data?.results.some(({ status }) => WAITING.includes(status)) ?? false;
  // New messages appear on the first page; other pages change only while a message waits. A page
  // that was found far back does not change.
  const isOn = (!cursor || isWaiting) && (data?.requests ?? 1) === 1;
  usePolling(reload, JSON.stringify(data?.results.map(outcomeKey)), { isOn, problem });
  return { filters, isFiltered: Object.keys(filters).length > 0, loaded };
}

export function MessageList({
  source,
  shown,
  empty,
}: {
  source: Source;
  shown: Shown;
  /** Shown if there are no messages at all. */
  empty: ComponentChildren;
}) {
  const { filters, loaded } = shown;
  const cursor = useStore(route).query.get("cursor") ?? "";
  useFocusOnPaging(filters, cursor);
  const current = () => filtersOf(route.get().query); // they may have changed
  return (
    <>
      <FilterBar
        source={source}
        filters={filters}
        onSearch={(change) => replace(source.place, { ...current(), ...change })}
        onFilters={(change) => go(source.place, { ...current(), ...change })}
      />
      <Loader from={loaded}>
        {(page) => <Rows {...{ source, shown, page, cursor, empty }} />}
      </Loader>
    </>
  );
}

/** Focus the title when another page of the list is shown, as when another screen is shown. */
function useFocusOnPaging(filters: Filters, cursor: string): void {
  const key = JSON.stringify(filters);
  const last = useRef({ key, cursor });
  useEffect(() => {
    const isPaged = last.current.key === key && last.current.cursor !== cursor;
    last.current = { key, cursor };
    if (isPaged) document.querySelector("h1")?.focus();
  }, [key, cursor]);
}

function Rows({
  source,
  shown: { filters, isFiltered },
  page,
  cursor,
  empty,
}: {
  source: Source;
  shown: Shown;
  page: FoundPage;
  cursor: string;
  empty: ComponentChildren;
}) {
  const t = useTexts().sent;
  if (!page.results.length && !cursor && !isFiltered) return <>{empty}</>;
  const isOfAll = source.as === "admin";
  return (
    <>
      {page.results.length || !isFiltered ? (
        <ul class={isOfAll ? "messages of-all" : "messages"} aria-label={t.list}>
          {page.results.map((entry) => (
            <Entry key={entry.id} entry={entry} place={source.place} withSender={isOfAll} />
          ))}
        </ul>
      ) : (
        <Empty icon="search" title={t.noneTitle}>
          <p role="status">{noneText(t, filters, page.next_cursor)}</p>
          <ButtonLink href={href(source.place)}>{t.clearFilters}</ButtonLink>
        </Empty>
      )}
      <Pages {...{ source, filters, cursor }} next={page.next_cursor ?? null} />
    </>
  );
}

/** Why a page of a filtered list is empty. With a next page, only newer messages were searched. */
function noneText(t: Texts["sent"], filters: Filters, next?: string | null): string {
  if (next) return t.noneYet;
  return Object.keys(filters).join() === "q" ? t.noneText : t.noneFiltered;
}

/** The cursor of the previous page, by the list and the cursor of each visited page. */
const before = {
  get: (key: unknown) => tabStorage.get(`before:${JSON.stringify(key)}`) ?? undefined,
  set: (key: unknown, cursor: string) => tabStorage.set(`before:${JSON.stringify(key)}`, cursor),
};

function Pages({
  source: { place },
  filters,
  cursor,
  next,
}: {
  source: Source;
  filters: Filters;
  cursor: string;
  next: string | null;
}) {
  const t = useTexts().sent;
  if (next) before.set([place, filters, next], cursor);
  if (!cursor && !next) return null;
  const previous = cursor ? before.get([place, filters, cursor]) : undefined;
  const at = (target: string) => href(place, { ...filters, cursor: target });
  return (
    <nav class="pages row" aria-label={t.pages}>
      {cursor && (
        <ButtonLink href={at("")} small>
          {t.newest}
        </ButtonLink>
      )}
      {previous !== undefined && (
        <ButtonLink href={at(previous)} small icon="back">
          {t.newer}
        </ButtonLink>
      )}
      {next && (
        <ButtonLink href={at(next)} small icon="forward">
          {t.older}
        </ButtonLink>
      )}
    </nav>
  );
}
