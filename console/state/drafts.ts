/**
 * Unfinished messages, one for each address, with their attachments.
 *
 * They are stored in IndexedDB. File contents have a separate store, so that they are written once
 * and not with every pause in typing. Without IndexedDB, drafts last as long as the page. All tabs
 * show the same draft: each tab notifies the other tabs when it stores or removes a draft.
 *
 * Signing out removes all drafts. A late write must not restore one, so it is only allowed for the
 * signed-in address, or if the draft is still stored. A rejected credential removes no draft.
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
  /** The content id that the HTML refers to. */
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
  /** The value of the time field, in the time zone of the browser. */
  laterAt: string;
  files: DraftFile[];
  /** The Idempotency-Key: the server sends one message per key, even if the draft is edited. */
  key: string;
  /**
   * The time of the first request with this key that got no definite response, in ms since 1970.
   * Undefined if there was no such request.
   */
  attemptedAt?: number;
}

/** A draft as it is stored. The contents of its files are in the store `FILES`. */
interface Row extends Omit<Draft, "files"> {
  files: Omit<DraftFile, "bytes">[];
}

/** Whether a draft is stored: `no`, in the browser (`yes`), or only in this page (`page`). */
export type Saved = "no" | "yes" | "page";

/** The drafts that are not stored yet, or that the browser could not store. */
const unsaved = new Map<string, Draft>();

/** The ids of the files of each stored draft, as this tab last knew them. */
const storedFiles = new Map<string, Set<string>>();

/** The open database. A page that ends has no time to open it. */
let opened: Promise<IDBDatabase> | undefined;
let database: IDBDatabase | undefined;

/**
 * A change of the stored draft of `address`. `isRemoved`: the draft was sent or discarded, or
 * another tab has signed out.
 */
export interface DraftChange {
  address: string;
  isRemoved: boolean;
}

/** Connects the tabs of this browser. A tab does not receive its own messages. */
const tabs = new BroadcastChannel(DATABASE);

/** The screens of this tab that show a draft. */
const screens = new Set<(change: DraftChange) => void>();

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

export function isEmpty(draft: Draft | Row): boolean {
  const { to, cc, bcc, replyTo, subject, body, files } = draft;
  return !(to + cc + bcc + replyTo + subject + body).trim() && !files.length;
}

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

/**
 * Call `listener` after each change by another tab, or by a screen of this tab that the person has
 * left. Returns a function that stops this.
 */
export function onChangeElsewhere(listener: (change: DraftChange) => void): () => void {
  const receive = (event: MessageEvent<DraftChange>) => listener(event.data);
  tabs.addEventListener("message", receive);
  screens.add(listener);
  return () => {
    tabs.removeEventListener("message", receive);
    screens.delete(listener);
  };
}

/** Report a change by a screen that the person has left. Other tabs already know it. */
export function notifyThisTab(change: DraftChange): void {
  for (const listener of [...screens]) listener(change);
}

function notifyOtherTabs(change: DraftChange): void {
  tabs.postMessage(change);
}

/** Keep a draft in memory until it is stored, so that `draftTitles` includes the draft. */
export function holdDraft(address: string, draft: Draft): void {
  unsaved.set(address, draft);
}

/** A title for each unfinished message in this browser: its subject, or its first other text. */
export async function draftTitles(): Promise<string[]> {
  const all = new Map<string, Draft | Row>();
  await inTransaction("readonly", async (drafts) => {
    const addresses = await settled(drafts.getAllKeys());
    const rows = await settled<Row[]>(drafts.getAll());
    rows.forEach((row, index) => all.set(String(addresses[index]), row));
  }).catch(ignore);
  for (const [address, draft] of unsaved) all.set(address, draft);
  return [...all.values()].filter((draft) => !isEmpty(draft)).map(titleOf);
}

function titleOf({ subject, to, cc, bcc, replyTo, body, files }: Draft | Row): string {
  const first = [subject, to, cc, bcc, replyTo, body, files[0]?.name].find((text) => text?.trim());
  return (first ?? "").trim().slice(0, 100);
}

export async function readDraft(address: string): Promise<Draft | undefined> {
  const newest = unsaved.get(address);
  if (newest) return newest;
  try {
    return await inTransaction("readonly", async (drafts, files) => {
      const row = await settled<Row | undefined>(drafts.get(address));
      noteFiles(address, row?.files);
      if (!row) return undefined;
      const contents = row.files.map(async (file) => ({
        ...file,
        bytes: await settled<ArrayBuffer | undefined>(files.get(file.id)),
      }));
      const found = await Promise.all(contents);
      // A tab that ended may have stored its draft after another tab had removed the files.
      return { ...row, files: found.filter((file): file is DraftFile => file.bytes !== undefined) };
    });
  } catch {
    return undefined;
  }
}

/**
 * Store a draft and return where it is stored.
 *
 * @param replacing the key of the only other draft that may be replaced; by default any may be.
 */
export async function writeDraft(
  address: string,
  draft: Draft,
  replacing?: string,
): Promise<Saved> {
  const isAllowed = (old?: { key: string }) =>
    old?.key === draft.key ||
    (old !== undefined && old.key === replacing) ||
    (session.get().address === address && !(old && replacing));
  const held = unsaved.get(address);
  try {
    const saved = await inTransaction("readwrite", async (drafts, files) => {
      const old = await settled<Row | undefined>(drafts.get(address));
      if (!isAllowed(unsaved.get(address) ?? old)) return "no" as const;
      noteFiles(address, old?.files);
      await settled(put(address, draft, drafts, files));
      return "yes" as const;
    });
    if (saved === "no") return saved;
    noteFiles(address, draft.files);
    if (unsaved.get(address) === held) unsaved.delete(address); // otherwise it was edited since
    notifyOtherTabs({ address, isRemoved: false });
    return saved;
  } catch {
    if (!isAllowed(unsaved.get(address))) return "no";
    unsaved.set(address, draft);
    return "page";
  }
}

/** Store a draft, replacing the one whose files `storedFiles` has. */
function put(
  address: string,
  draft: Draft,
  drafts: IDBObjectStore,
  files: IDBObjectStore,
): IDBRequest {
  const known = new Set(storedFiles.get(address));
  for (const { id, bytes } of draft.files) {
    if (!known.delete(id)) files.put(bytes, id);
  }
  for (const id of known) files.delete(id);
  const row: Row = { ...draft, files: draft.files.map(({ bytes, ...file }) => file) };
  return drafts.put(row, address);
}

function noteFiles(address: string, files: { id: string }[] = []): void {
  storedFiles.set(address, new Set(files.map(({ id }) => id)));
}

/** Store the last edits when the page ends. No callback of the database runs after that. */
function storeAtOnce(): void {
  const { address } = session.get();
  const draft = address !== undefined && unsaved.get(address);
  if (!draft || !database) return;
  const transaction = database.transaction([DRAFTS, FILES], "readwrite");
  put(address, draft, transaction.objectStore(DRAFTS), transaction.objectStore(FILES));
  transaction.commit();
  notifyOtherTabs({ address, isRemoved: false });
}

addEventListener("pagehide", storeAtOnce);

/** Remove the draft of an address, if it is the one with this key. */
export async function removeDraft(address: string, key: string): Promise<void> {
  if (unsaved.get(address)?.key === key) unsaved.delete(address);
  await inTransaction("readwrite", async (drafts, files) => {
    const old = await settled<Row | undefined>(drafts.get(address));
    if (old?.key !== key) return;
    for (const { id } of old.files) files.delete(id);
    drafts.delete(address);
  }).catch(ignore);
  notifyOtherTabs({ address, isRemoved: true });
}

/** Remove the drafts of every address. */
export async function removeDrafts(): Promise<void> {
  unsaved.clear();
  await inTransaction("readwrite", async (drafts, files) => {
    const addresses = await settled(drafts.getAllKeys());
    files.clear();
    await settled(drafts.clear());
    return addresses.map(String);
  }).then(
    (addresses) =>
      addresses.forEach((address) => notifyOtherTabs({ address, isRemoved: true })),
    ignore,
  );
}

function ignore(): void {
  // Without IndexedDB there are no stored drafts.
}

/** Run `work` in one transaction. */
async function inTransaction<T>(
  mode: IDBTransactionMode,
  work: (drafts: IDBObjectStore, files: IDBObjectStore) => Promise<T>,
): Promise<T> {
  const transaction = (await openDatabase()).transaction([DRAFTS, FILES], mode);
  const ended = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });
  const stores = [DRAFTS, FILES].map((name) => transaction.objectStore(name));
  const [result] = await Promise.all([work(stores[0]!, stores[1]!), ended]);
  return result;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("request failed"));
  });
}

function openDatabase(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      for (const name of [DRAFTS, FILES]) request.result.createObjectStore(name);
    };
    request.onsuccess = () => {
      database = request.result;
      database.onclose = forgetDatabase;
      database.onversionchange = () => {
        request.result.close();
        forgetDatabase();
      };
      resolve(database);
    };
    request.onerror = () => reject(request.error ?? new Error("open failed"));
  });
  opened.catch(forgetDatabase);
  return opened;
}

function forgetDatabase(): void {
  opened = database = undefined;
}
