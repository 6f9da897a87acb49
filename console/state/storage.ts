/** The browser's storages; one that it does not allow forgets with the page. */

export interface Shelf {
  get(key: string): string | null;
  set(key: string, text: string): void;
  remove(key: string): void;
}

export const ofTheTab = shelf(() => sessionStorage);
export const ofTheBrowser = shelf(() => localStorage);

function shelf(storage: () => Storage): Shelf {
  try {
    const found = storage(); // throws where the person allows no site data
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
