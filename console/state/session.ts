/**
 * Who is signed in: the credential of an address, the site password, the admin password.
 *
 * Each lives in the session storage, so that it ends with the tab, or in the local storage where
 * somebody chose "keep me signed in" for it; never in a URL. What a tab has of its own goes before
 * what the browser keeps.
 */

import { ofTheBrowser, ofTheTab, type Shelf } from "./storage";
import { createStore } from "./store";

export interface Session {
  /** The address and its credential (the address JWT). */
  address?: string;
  jwt?: string;
  /** What goes into `x-custom-auth`, where the site has a password. */
  sitePassword?: string;
  /** What goes into `x-admin-auth`. */
  adminPassword?: string;
}

const KEY = "session";

export const session = createStore<Session>(stored());

/** How often the server has ended the credential that was in use. */
export const endings = createStore(0);

/**
 * Take over `change`, and nothing else, in the storage that `keep` chooses (else where each of it
 * was before); what is undefined is forgotten.
 */
export function signIn(change: Session, keep?: boolean): void {
  const tab = read(ofTheTab);
  const browser = read(ofTheBrowser);
  for (const name of Object.keys(change) as (keyof Session)[]) {
    const wasKept = !(name in tab) && name in browser;
    if (wasKept) delete browser[name];
    delete tab[name];
    if (keep ?? wasKept) browser[name] = change[name];
    // What is forgotten here must not come from what another tab keeps.
    else tab[name] = change[name] ?? (name in browser ? "" : undefined);
  }
  write(ofTheTab, tab);
  write(ofTheBrowser, browser);
  session.set({ ...session.get(), ...change });
}

/** Forget every credential and password. The drafts are removed by who calls this. */
export function forgetAll(): void {
  ofTheTab.remove(KEY);
  ofTheBrowser.remove(KEY);
  session.set({});
}

/** Forget `jwt` and its address, unless another credential has taken its place. */
export function endCredential(jwt: string | undefined): void {
  if (!jwt || session.get().jwt !== jwt) return;
  signIn({ address: undefined, jwt: undefined });
  endings.set(endings.get() + 1);
}

/** Forget the site password, unless it is another than `refused`. */
export function forgetSitePassword(refused: string | undefined): void {
  if (session.get().sitePassword === refused) signIn({ sitePassword: undefined });
}

/** Forget the admin password, unless it is another than `refused`. */
export function forgetAdministrator(refused = session.get().adminPassword): void {
  if (session.get().adminPassword === refused) signIn({ adminPassword: undefined });
}

/** Whether what this tab is signed in with outlives it. */
export function isKept(): boolean {
  const tab = read(ofTheTab);
  return Object.keys(read(ofTheBrowser)).some((name) => !(name in tab));
}

function stored(): Session {
  const all = Object.entries({ ...read(ofTheBrowser), ...read(ofTheTab) });
  const session: Session = Object.fromEntries(all.filter(([, value]) => value));
  return session.address && session.jwt
    ? session
    : { ...session, address: undefined, jwt: undefined };
}

/** What lies on a shelf: texts alone, whatever else might stand there. */
function read(shelf: Shelf): Session {
  try {
    const kept = JSON.parse(shelf.get(KEY) ?? "{}") as object;
    return Object.fromEntries(
      Object.entries(kept).filter(([, value]) => typeof value === "string"),
    );
  } catch {
    return {};
  }
}

function write(shelf: Shelf, kept: Session): void {
  const text = JSON.stringify(kept);
  if (text === "{}") shelf.remove(KEY);
  else shelf.set(KEY, text);
}

// Signing out in one tab signs out the others that share the local storage.
addEventListener("storage", (event) => {
  if (event.key === KEY) session.set(stored());
});

/** The address that a credential is of, as it says itself (RFC 7519); nothing where it is none. */
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
