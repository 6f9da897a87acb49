/** The route: the fragment of the URL, such as `#/sent/ID?q=words`. */

import { decoded } from "../decode";
import { createStore } from "./store";

export interface Route {
  /** The segments of the path: `["sent", "ID"]`. */
  path: string[];
  query: URLSearchParams;
}

export const route = createStore<Route>(current());

// Each entry of the browser's history gets a number. To undo a navigation, the guard goes back by
// the difference of two numbers.
let entry = entryNumber() ?? 0;
let shown = location.hash;
let guard: ((leave: () => void) => void) | undefined;

history.replaceState(entry, "");

addEventListener("hashchange", () => {
  const wanted = location.hash;
  if (wanted === shown) return; // the guard has undone a navigation
  const next = entryNumber() ?? entry + 1;
  if (guard) {
    history.go(entry - next || -1);
    requestLeave(() => {
      location.hash = wanted;
    });
    return;
  }
  entry = next;
  shown = wanted;
  history.replaceState(entry, "");
  route.set(current());
});

/**
 * Call `ask` before the current screen is left. `ask` gets a function that leaves the screen, and
 * decides whether to call it. The returned function removes this guard.
 */
export function guardLeaving(ask: (leave: () => void) => void): () => void {
  guard = ask;
  return () => {
    if (guard === ask) guard = undefined;
  };
}

/** Leave the current screen by `leave`. A guard decides whether to call it. */
export function requestLeave(leave: () => void): void {
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

/** Go to a route without a new entry in the browser's history. */
export function replace(path: string, query: Record<string, string> = {}): void {
  history.replaceState(entry, "", href(path, query));
  shown = location.hash;
  route.set(current());
}

/** The link to a route; empty parameters are left out. */
export function href(path: string, query: Record<string, string> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const text = new URLSearchParams(given).toString();
  return `#${path}${text && `?${text}`}`;
}

/** The current path with its query, as `/sent/ID?q=words`. */
export function here(): string {
  const { path, query } = route.get();
  return href(`/${path.join("/")}`, Object.fromEntries(query)).slice(1);
}

/** Go to the screen that sent a signed-out person to the start screen, or else to `path`. */
export function goBackOr(path: string): void {
  const wanted = route.get().query.get("to") ?? "";
  location.hash = wanted.startsWith("/") ? wanted : path;
}

function current(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").map(decoded), query: new URLSearchParams(query) };
}

/** The number of the current history entry; undefined for a new entry. */
function entryNumber(): number | undefined {
  return typeof history.state === "number" ? history.state : undefined;
}
