/** What the lists of the administration share: search, pages, a table, and the empty state. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useAdmin, type Part, type Rows } from "../../api/admin";
import { call, type Options } from "../../api/client";
import type { Loaded } from "../../api/use";
import { useAction } from "../../components/action";
import { Button, ButtonLink } from "../../components/Button";
import { Empty } from "../../components/Empty";
import type { IconName } from "../../components/Icon";
import { Loader } from "../../components/Loader";
import { ProblemNotice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { Search as SearchField } from "../../components/Search";
import { Table, type Column } from "../../components/Table";
import { href, replace, route, type Route } from "../../state/route";
import { useStore } from "../../state/store";
import { useTexts } from "../../texts";
import { number } from "../../texts/formats";

const PAGE = 20;
const LONG_PAGE = 30;

/** The highest page number. A higher number in the URL counts as this one. */
const LAST_PAGE = 1_000_000;

/** Search parameters: the name in the URL of the console, and the name in the API. */
const SEARCHES = { q: "query", address: "address" } as const;

type SearchName = keyof typeof SEARCHES;

export interface List<Row> extends Loaded<{ results: readonly Row[]; count?: number }> {
  /** Whether the rows still belong to the previous query. */
  isStale?: boolean;
  search?: SearchName;
  /** Whether the list leaves out rows for another reason than the search. */
  isFiltered?: boolean;
  /** Whether there are more rows, although there may be none yet. */
  hasMore?: boolean;
  /** Shown below the rows. */
  pager?: ComponentChildren;
}

/** The page in the route's parameter `name`, counted from 1, and all other parameters. */
export function useListRoute(name = "page") {
  return listRoute(useStore(route), name);
}

function listRoute({ path, query }: Route, name: string) {
  const page = Math.min(Math.max(1, Math.floor(Number(query.get(name))) || 1), LAST_PAGE);
  const parameters = Object.fromEntries([...query].filter(([key]) => key !== name));
  return { path: `/${path.join("/")}`, page, parameters };
}

/**
 * Load one page of a list.
 *
 * @param options.search the parameter of the route that holds the search.
 * @param options.name the parameter of the route that holds the page number.
 * @param options.title the title of the list, if the screen has several.
 */
export function usePagedList<Row>(
  path: string,
  options: {
    search?: SearchName;
    query?: Record<string, string>;
    name?: string;
    title?: string;
  } = {},
): List<Row> {
  const { search, query, name = "page", title } = options;
  const t = useTexts().sent;
  const { path: here, page, parameters } = useListRoute(name);
  const loaded = useAdmin<Rows<Row>>(path, {
    limit: PAGE,
    offset: (page - 1) * PAGE,
    ...(search && { [SEARCHES[search]]: parameters[search] ?? "" }),
    ...query,
  });
  const { data, isStale } = loaded;
  const last = Math.max(1, Math.ceil((data?.count ?? 0) / PAGE));
  const at = (target: number) => ({ ...parameters, [name]: target > 1 ? String(target) : "" });
  useEffect(() => {
    // If the only row of the last page was removed, show the page before it.
    if (data && !isStale && page > last) replace(here, at(last));
  }, [data, isStale, page, last]);
  const pager = data && (
    <Pager
      page={page}
      count={data.count}
      last={last}
      label={title ? `${t.pages}: ${title}` : t.pages}
      to={(target) => href(here, at(target))}
    />
  );
  return { ...loaded, search, pager };
}

/**
 * Load the beginning of a long list; a button adds the next rows below.
 *
 * @param options.query the filters in the API; those without a value are left out.
 */
export function useLongList<Row>(
  path: string,
  options: { search?: SearchName; query?: Record<string, string>; as?: Options["as"] } = {},
): List<Row> & { busy: boolean } {
  const { search, query: filters = {}, as = "admin" } = options;
  const t = useTexts().admin.common;
  const given = useListRoute().parameters;
  const all = { ...filters, ...(search && { [SEARCHES[search]]: given[search] ?? "" }) };
  const chosen = Object.fromEntries(Object.entries(all).filter(([, value]) => value));
  const words = JSON.stringify(chosen);
  const wanted = useRef(words);
  wanted.current = words;
  const [shown, setShown] = useState<{ words: string; results: Row[]; next: string | null }>();
  const kept = shown?.words === words ? shown : undefined;
  const { busy, problem, run } = useAction();
  const [isMore, setIsMore] = useState(false); // whether the last load was of more rows
  const load = async (known: Row[], next?: string | null) => {
    await run(async () => {
      const query = {
        limit: LONG_PAGE,
        ...chosen,
        ...(next && { cursor: next }),
      };
      const part = await call<Part<Row>>("GET", path, { as, query });
      if (wanted.current !== words) return; // the search has changed
      setShown({ words, results: [...known, ...part.results], next: part.next_cursor });
    });
  };
  const loadMore = () => {
    setIsMore(true);
    return load(kept?.results ?? [], kept?.next);
  };
  const reload = () => {
    setIsMore(false);
    return load([]);
  };
  useEffect(() => void reload(), [words]);
  const pager = shown && (
    <>
      {isMore && problem && <ProblemNotice problem={problem} retry={() => void loadMore()} />}
      <div class="pager spread">
        <p class="muted" role="status">
          {t.shown(number(shown.results.length))}
        </p>
        {shown.next && (
          <Button small busy={busy} onClick={() => void loadMore()}>
            {t.more}
          </Button>
        )}
      </div>
    </>
  );
  const isStale = shown !== kept;
  const failed = isMore ? undefined : problem;
  // As in `useAdmin`, a failed search does not show the rows of another one.
  const data = failed ? kept : shown;
  const hasMore = Boolean(shown?.next);
  return { data, problem: failed, reload, pager, search, busy, isStale, hasMore };
}

function Pager({
  page,
  last,
  count,
  label,
  to,
}: {
  page: number;
  last: number;
  count: number;
  /** The accessible name. */
  label: string;
  /** The link to another page. */
  to: (page: number) => string;
}) {
  const t = useTexts().admin.common;
  const first = (page - 1) * PAGE + 1;
  const end = Math.min(first + PAGE - 1, count);
  return (
    <nav class="pager spread" aria-label={label}>
      <p class="muted" role="status">
        {t.rows(number(Math.min(first, count)), number(end), number(count))}
      </p>
      <div class="row">
        {page > 1 && (
          <ButtonLink small icon="back" href={to(page - 1)}>
            {t.previous}
          </ButtonLink>
        )}
        {page < last && (
          <ButtonLink small icon="forward" href={to(page + 1)}>
            {t.next}
          </ButtonLink>
        )}
      </div>
    </nav>
  );
}

/** A screen that consists of one list; its texts are those of `section`. */
export function AdminList<Row>({
  section,
  list,
  icon,
  id,
  columns,
  actions,
  aside,
  tools,
  before,
  children,
}: {
  section: "addresses" | "balances" | "suppressions" | "pauses" | "transports" | "audit";
  list: List<Row>;
  /** Shown when the list is empty. */
  icon: IconName;
  id: (row: Row) => string | number;
  columns: readonly Column<Row>[];
  /** The buttons of a row. */
  actions?: (row: Row) => ComponentChildren;
  aside?: ComponentChildren;
  /** Shown beside the search. */
  tools?: ComponentChildren;
  /** Shown above the search. */
  before?: ComponentChildren;
  /** Dialogs. */
  children?: ComponentChildren;
}) {
  const a = useTexts().admin;
  const t = a[section];
  const actionColumn = actions && {
    title: a.common.actions,
    kind: "actions" as const,
    cell: actions,
  };
  const search = list.search && <Search name={list.search} />;
  const empty = (
    <Empty icon={icon} title={t.emptyTitle}>
      <p>{t.emptyText}</p>
    </Empty>
  );
  return (
    <Page title={a.sections[section]} intro={t.intro} aside={aside}>
      {before}
      {tools ? (
        <div class="list-tools">
          {search}
          {tools}
        </div>
      ) : (
        search
      )}
      <Listing list={list} empty={empty}>
        {(rows) => (
          <Table
            caption={t.list}
            rows={rows}
            id={id}
            columns={actionColumn ? [...columns, actionColumn] : columns}
          />
        )}
      </Listing>
      {children}
    </Page>
  );
}

/** The rows of a list and its pager; without rows, the empty state. */
export function Listing<Row>({
  list,
  empty,
  children,
}: {
  list: List<Row>;
  /** Shown when the list has no rows without a search or a filter. */
  empty: ComponentChildren;
  children: (rows: readonly Row[]) => ComponentChildren;
}) {
  const { sent, admin } = useTexts();
  const t = admin.common;
  const { path, parameters } = useListRoute();
  const isSearch = list.isFiltered || (list.search && parameters[list.search]);
  return (
    <Loader from={list}>
      {({ results, count = results.length }) =>
        count > 0 || list.hasMore ? (
          <div class={list.isStale ? "listing stale" : "listing"} aria-busy={list.isStale}>
            {children(results)}
            {list.pager}
          </div>
        ) : isSearch ? (
          <Empty icon="search" title={sent.noneTitle}>
            <p>{t.noneText}</p>
            <ButtonLink href={href(path)}>{t.clearSearch}</ButtonLink>
          </Empty>
        ) : (
          empty
        )
      }
    </Loader>
  );
}

/** A search for an address finds whole addresses only, so it starts on Enter. */
function Search({ name }: { name: SearchName }) {
  const { sent, admin } = useTexts();
  const t = admin.common;
  const isWhole = name === "address";
  const hint = isWhole ? t.wholeAddress : admin.addresses.searchHint;
  return (
    <SearchField
      label={`${sent.search}: ${hint}`}
      hint={hint}
      clear={t.clearSearch}
      find={isWhole ? t.find : undefined}
      maxLength={320}
      value={useListRoute().parameters[name] ?? ""}
      onSearch={(text) => {
        const { path, parameters } = listRoute(route.get(), "page"); // the route may have changed
        replace(path, { ...parameters, [name]: text });
      }}
    />
  );
}
