/** What the lists of the administration share: search, pages, and what stands in their place. */

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Rows, Shown } from "../../api/admin";
import { ButtonLink } from "../../components/Button";
import { Empty, Skeleton } from "../../components/Empty";
import { ProblemNotice } from "../../components/Notice";
import { Search as SearchField } from "../../components/Search";
import { href, replace, route, type Route } from "../../state/route";
import { useStore } from "../../state/store";
import { useTexts } from "../../texts";
import { number } from "../../texts/formats";

const PAGE = 20;

/** The last page that is asked for; the API refuses larger numbers. */
const LAST_PAGE = 1_000_000;

/**
 * What the place says of a list: the page, which counts from 1, and the other words.
 *
 * `name` is the word that has the page, where a screen has several lists.
 */
export function useListPlace(name = "page") {
  return listPlace(useStore(route), name);
}

function listPlace({ path, query }: Route, name: string) {
  const page = Math.min(Math.max(1, Math.floor(Number(query.get(name))) || 1), LAST_PAGE);
  const words = Object.fromEntries([...query].filter(([word]) => word !== name));
  return { place: `/${path.join("/")}`, page, words };
}

/** What asks the API for a page. */
export function pageQuery(page: number): { limit: number; offset: number } {
  return { limit: PAGE, offset: (page - 1) * PAGE };
}

/**
 * A search field, whose text stands in the place as `name`.
 *
 * Where only a whole address is found, it is looked for when it is complete: on Enter.
 */
export function Search({ name, hint, whole }: { name: string; hint: string; whole?: boolean }) {
  const a = useTexts().admin;
  return (
    <SearchField
      label={`${a.common.search}: ${hint}`}
      hint={hint}
      clear={a.common.clearSearch}
      find={whole ? a.common.find : undefined}
      maxLength={320}
      wanted={useListPlace().words[name] ?? ""}
      onWanted={(text) => {
        const { place, words } = listPlace(route.get(), "page"); // it may have changed meanwhile
        replace(place, { ...words, [name]: text });
      }}
    />
  );
}

/** The rows of a page with the links to the others, or what stands there instead. */
export function Listing<Row>({
  shown,
  page,
  name = "page",
  isSearch,
  empty,
  children,
}: {
  shown: Shown<Rows<Row>>;
  page: number;
  /** The word of the place that has the page. */
  name?: string;
  isSearch: boolean;
  /** Stands there when there is not a single row, and no search. */
  empty: ComponentChildren;
  children: (rows: readonly Row[]) => ComponentChildren;
}) {
  const a = useTexts().admin;
  const { place, words } = useListPlace(name);
  const { data, problem, isStale, reload } = shown;
  const last = Math.max(1, Math.ceil((data?.count ?? 0) / PAGE));
  useEffect(() => {
    // The last row of the last page may have been removed.
    if (data && !isStale && page > last) replace(place, { ...words, [name]: pageWord(last) });
  }, [data, isStale, page, last]);
  if (problem) return <ProblemNotice problem={problem} retry={() => void reload()} />;
  if (!data) return <Skeleton lines={6} />;
  if (!data.count) {
    return isSearch ? (
      <Empty icon="search" title={a.common.noneTitle}>
        <p>{a.common.noneText}</p>
        <ButtonLink href={href(place)}>{a.common.clearSearch}</ButtonLink>
      </Empty>
    ) : (
      <>{empty}</>
    );
  }
  const first = (page - 1) * PAGE + 1;
  const to = (target: number) => href(place, { ...words, [name]: pageWord(target) });
  return (
    <div class={isStale ? "listing stale" : "listing"} aria-busy={isStale}>
      {children(data.results)}
      <nav class="pager" aria-label={a.common.pages}>
        <p class="muted" role="status">
          {a.common.rows(
            number(Math.min(first, data.count)),
            number(Math.min(first + PAGE - 1, data.count)),
            number(data.count),
          )}
        </p>
        {last > 1 && (
          <div class="row">
            {page > 1 && (
              <ButtonLink small icon="back" href={to(page - 1)}>
                {a.common.previous}
              </ButtonLink>
            )}
            {page < last && (
              <ButtonLink small icon="forward" href={to(page + 1)}>
                {a.common.next}
              </ButtonLink>
            )}
          </div>
        )}
      </nav>
    </div>
  );
}

function pageWord(page: number): string {
  return page > 1 ? String(page) : "";
}
