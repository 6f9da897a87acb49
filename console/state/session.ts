/**
 * The session: the credential of an address, the site password, the admin password.
 *
 * Each value is in the session storage, which ends with the tab. If the person chose "Keep me
 * signed in", the value is in the local storage instead. If both storages have a value, the one in
 * the session storage counts. No URL contains a value.
 */

import { browserStorage, tabStorage, type TextStorage } from "./storage";
import { createStore } from "./store";

export interface Session {
  /** The address and its credential (the address JWT). */
  address?: string;
  jwt?: string;
  /** Sent as `x-custom-auth`, if the site has a password. */
  sitePassword?: string;
  /** Sent as `x-admin-auth`. */
  adminPassword?: string;
}

const KEY = "session";

export const session = createStore<Session>(stored());

/** How often the server has rejected the credential of the session since the page was loaded. */
export const rejections = createStore(0);

/**
 * Apply `change` to the session. An undefined value is removed.
 *
 * @param keep whether to use the local storage; by default each value stays in its storage.
 */
export function signIn(change: Session, keep?: boolean): void {
  const tab = read(tabStorage);
  const browser = read(browserStorage);
  for (const name of Object.keys(change) as (keyof Session)[]) {
    const wasKept = !(name in tab) && name in browser;
    if (wasKept) delete browser[name];
    delete tab[name];
    if (keep ?? wasKept) browser[name] = change[name];
    // Other tabs share the local storage. If it has a removed value, an empty text in the session
    // storage hides it.
    else tab[name] = change[name] ?? (name in browser ? "" : undefined);
  }
  write(tabStorage, tab);
  write(browserStorage, browser);
  session.set({ ...session.get(), ...change });
}

/** How often this tab has signed out since the page was loaded. */
export const signOuts = createStore(0);

/** Forget every credential and password. The caller removes the drafts. */
export function forgetAll(): void {
  tabStorage.remove(KEY);
  browserStorage.remove(KEY);
  session.set({});
  signOuts.set(signOuts.get() + 1);
}

/** Forget `jwt` and its address, unless another credential has replaced it. */
export function endCredential(jwt: string | undefined): void {
  if (!jwt || session.get().jwt !== jwt) return;
  signIn({ address: undefined, jwt: undefined });
  rejections.set(rejections.get() + 1);
}

/** Forget the site password if it is still `rejected`. */
export function forgetSitePassword(rejected: string | undefined): void {
  if (session.get().sitePassword === rejected) signIn({ sitePassword: undefined });
}

/** Forget the admin password if it is still `rejected`. */
export function forgetAdministrator(rejected = session.get().adminPassword): void {
  if (session.get().adminPassword === rejected) signIn({ adminPassword: undefined });
}

/** Whether this session uses a value of the local storage, which stays when the tab is closed. */
export function isKept(): boolean {
  const tab = read(tabStorage);
  return Object.keys(read(browserStorage)).some((name) => !(name in tab));
}

function stored(): Session {
  const all = Object.entries({ ...read(browserStorage), ...read(tabStorage) });
  const session: Session = Object.fromEntries(all.filter(([, value]) => value));
  return session.address && session.jwt
    ? session
    : { ...session, address: undefined, jwt: undefined };
}

/** The part of the session in `storage`. Values that are not strings are ignored. */
function read(storage: TextStorage): Session {
  try {
    const kept = JSON.parse(storage.get(KEY) ?? "{}") as object;
    return Object.fromEntries(
      Object.entries(kept).filter(([, value]) => typeof value === "string"),
    );
  } catch {
    return {};
  }
}

function write(storage: TextStorage, kept: Session): void {
  const text = JSON.stringify(kept);
  if (text === "{}") storage.remove(KEY);
  else storage.set(KEY, text);
}

// Signing out in one tab signs out the others that share the local storage.
addEventListener("storage", (event) => {
  if (event.key === KEY) session.set(stored());
});

/** The address in the payload of a JWT (RFC 7519), or undefined if it has none. */
export function addressOf(jwt: string): string | undefined {
  try {
    const payload = jwt.split(".")[1] ?? "";
    const bytes = Uint8Array.from(
      atob(payload.replaceAll("-", "+").replaceAll("_", "/")),
      (character) => character.charCodeAt(0),
    );
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    return typeof claims["address"] === "string" ? claims["address"] : undefined;
  } catch {
    return undefined;
  }
}
