/** Loads a page of messages, also if a filter finds them far back. */

import { call } from "../../api/client";
import type { SendboxEntry, SendboxPage } from "../../api/types";
import { apiQuery, type Filters } from "./filters";
import type { Source } from "./source";

/**
 * The service looks at a limited number of messages per request, 2,500 in most cases. So this many
 * requests look at about 100,000.
 */
const MOST_REQUESTS = 40;

export interface FoundPage extends SendboxPage {
  /** How many requests were needed. */
  requests: number;
}

/** @throws Problem */
export async function loadPage(
  { as, path }: Source,
  filters: Filters,
  { limit, cursor }: { limit: number; cursor: string },
): Promise<FoundPage> {
  const results: SendboxEntry[] = [];
  let next: string | null = cursor;
  let requests = 0;
  do {
    const query = { limit, cursor: next, ...apiQuery(filters) };
    const page: SendboxPage = await call<SendboxPage>("GET", path, { as, query });
    results.push(...page.results);
    next = page.next_cursor ?? null;
    requests += 1;
    // A page without filters can be short too, because its size is limited.
  } while (next && !results.length && requests < MOST_REQUESTS);
  return { results, next_cursor: next, requests };
}
