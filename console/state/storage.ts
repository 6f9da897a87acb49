/** The browser's storages. If the browser blocks one, its values last as long as the page. */

export interface TextStorage {
  get(key: string): string | null;
  set(key: string, text: string): void;
  remove(key: string): void;
}

export const tabStorage = textStorage(() => sessionStorage);
export const browserStorage = textStorage(() => localStorage);

function textStorage(storage: () => Storage): TextStorage {
  try {
    const found = storage(); // throws if site data is blocked
    return {
      get: (key) => found.getItem(key),
      set: (key, text) => found.setItem(key, text),
      remove: (key) => found.removeItem(key),
    };
  } catch {
    const kept = new Map<string, string>();
    return {
      get: (key) => kept.get(key) ?? null,
      set: (key, text) => void kept.set(key, text),
      remove: (key) => void kept.delete(key),
    };
  }
}
