/**
 * Unfinished messages, one for each address, with their attachments.
 *
 * They are kept in IndexedDB; the contents of files in a table of their own, so that they are
 * written once and not with every pause in the typing. A browser that has no IndexedDB keeps
 * drafts as long as the page. Only drafts of who is signed in are written: what comes late, after
 * the sign-out removed them all, is dropped.
 */

import { session } from "./session";

const DATABASE = "drafts";
const DRAFTS = "drafts";
const FILES = "files";

export interface DraftFile {
  id: string;
  name: string;
  type: string;
  bytes: ArrayBuffer;
  /** The name by which the HTML shows it. */
  contentId?: string;
}

export interface Draft {
  fromName: string;
  to: string;
  cc: string;
  bcc: string;
  replyTo: string;
  subject: string;
  isHtml: boolean;
  body: string;
  isLater: boolean;
  /** The time as the field has it, in the time zone of the browser. */
  laterAt: string;
  files: DraftFile[];
  /** The Idempotency-Key: what comes with it is sent only once, however it is edited. */
  key: string;
  /** When it was first sent with this key, without a definite answer; in ms since 1970. */
  attemptedAt?: number;
}

/** A draft as its table has it: its files by their ids, in the other one. */
interface Row extends Omit<Draft, "files"> {
  files: Omit<DraftFile, "bytes">[];
}

/** Whether a draft is kept: not at all, for good, or only as long as the page. */
export type Kept = "no" | "yes" | "page";

/** The drafts that the browser did not take. */
const unsaved = new Map<string, Draft>();

export function newDraft(): Draft {
  return {
    fromName: "",
    to: "",
    cc: "",
    bcc: "",
    replyTo: "",
    subject: "",
    isHtml: false,
    body: "",
    isLater: false,
    laterAt: "",
    files: [],
    key: newKey(),
  };
}

export function isEmpty(draft: Draft): boolean {
  const { to, cc, bcc, replyTo, subject, body, files } = draft;
  return !(to + cc + bcc + replyTo + subject + body).trim() && !files.length;
}

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

export async function readDraft(address: string): Promise<Draft | undefined> {
  const newest = unsaved.get(address);
  if (newest) return newest;
  try {
    return await run("readonly", async (drafts, files) => {
      const row = await answer<Row | undefined>(drafts.get(address));
      if (!row) return undefined;
      const contents = row.files.map(async (file) => ({
        ...file,
        bytes: await answer<ArrayBuffer>(files.get(file.id)),
      }));
      return { ...row, files: await Promise.all(contents) };
    });
  } catch {
    return undefined;
  }
}

/**
 * Keep a draft.
 *
 * @param replacing the key of the draft that it may take the place of; without it, of any.
 */
export async function writeDraft(
  address: string,
  draft: Draft,
  replacing?: string,
): Promise<Kept> {
  const isAllowed = (old?: { key: string }) =>
    !replacing || !old || old.key === replacing || old.key === draft.key;
  try {
    return await run("readwrite", async (drafts, files) => {
      if (session.get().address !== address) return "no";
      const old = await answer<Row | undefined>(drafts.get(address));
      if (!isAllowed(unsaved.get(address) ?? old)) return "no";
      const known = new Set(old?.files.map(({ id }) => id));
      for (const { id, bytes } of draft.files) {
        if (!known.delete(id)) files.put(bytes, id);
      }
      for (const id of known) files.delete(id);
      const row: Row = { ...draft, files: draft.files.map(({ bytes, ...file }) => file) };
      await answer(drafts.put(row, address));
      unsaved.delete(address);
      return "yes";
    });
  } catch {
    if (session.get().address !== address || !isAllowed(unsaved.get(address))) return "no";
    unsaved.set(address, draft);
    return "page";
  }
}

/** Remove the draft of an address, if it is the one with this key. */
export async function removeDraft(address: string, key: string): Promise<void> {
  if (unsaved.get(address)?.key === key) unsaved.delete(address);
  await run("readwrite", async (drafts, files) => {
    const old = await answer<Row | undefined>(drafts.get(address));
    if (old?.key !== key) return;
    for (const { id } of old.files) files.delete(id);
    drafts.delete(address);
  }).catch(nothing);
}

/** Remove the drafts of every address. */
export async function removeDrafts(): Promise<void> {
  unsaved.clear();
  await run("readwrite", async (drafts, files) => {
    files.clear();
    await answer(drafts.clear());
  }).catch(nothing);
}

function nothing(): void {
  // A browser without IndexedDB has kept none.
}

/** Carry out `order` in one transaction; `order` begins as soon as there is one. */
async function run<T>(
  mode: IDBTransactionMode,
  order: (drafts: IDBObjectStore, files: IDBObjectStore) => Promise<T>,
): Promise<T> {
  const database = await opened();
  try {
    const transaction = database.transaction([DRAFTS, FILES], mode);
    const ended = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
    });
    const stores = [DRAFTS, FILES].map((name) => transaction.objectStore(name));
    const [result] = await Promise.all([order(stores[0]!, stores[1]!), ended]);
    return result;
  } finally {
    database.close();
  }
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("no answer"));
  });
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      for (const name of [DRAFTS, FILES]) request.result.createObjectStore(name);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("not opened"));
  });
}
