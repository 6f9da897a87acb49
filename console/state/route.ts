/** Where the person is: the part of the address behind `#`, as `#/sent/ID?q=words`. */

import { createStore } from "./store";

export interface Route {
  /** The words of the path: `["sent", "ID"]`. */
  path: string[];
  query: URLSearchParams;
}

export const route = createStore<Route>(current());

// The steps of the browser's history are numbered, to tell how far away another one is.
let step = numberOfStep() ?? 0;
let shown = location.hash;
let guard: ((leave: () => void) => void) | undefined;

history.replaceState(step, "");

addEventListener("hashchange", () => {
  const wanted = location.hash;
  if (wanted === shown) return; // back again, after the guard held it
  const next = numberOfStep() ?? step + 1;
  if (guard) {
    history.go(step - next || -1);
    release(() => {
      location.hash = wanted;
    });
    return;
  }
  step = next;
  shown = wanted;
  history.replaceState(step, "");
  route.set(current());
});

/** Let `ask` decide, before this place is left, until the answer is called. */
export function hold(ask: (leave: () => void) => void): () => void {
  guard = ask;
  return () => {
    if (guard === ask) guard = undefined;
  };
}

/** Do `leave`, which ends what this place shows; whoever holds the place is asked before. */
export function release(leave: () => void): void {
  if (!guard) {
    leave();
    return;
  }
  guard(() => {
    guard = undefined;
    leave();
  });
}

export function go(path: string, query: Record<string, string> = {}): void {
  location.hash = href(path, query);
}

/** Go there without a step in the browser's history. */
export function replace(path: string, query: Record<string, string> = {}): void {
  history.replaceState(step, "", href(path, query));
  shown = location.hash;
  route.set(current());
}

/** The link to a place; of the query only what is not empty. */
export function href(path: string, query: Record<string, string> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const text = new URLSearchParams(given).toString();
  return `#${path}${text && `?${text}`}`;
}

function current(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").map(decoded), query: new URLSearchParams(query) };
}

/** The number of the step that the browser shows; a new one has none yet. */
function numberOfStep(): number | undefined {
  return typeof history.state === "number" ? history.state : undefined;
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word; // what somebody typed need not be well-formed
  }
}
