/** An observable value that components share, and the hook that reads it. */

import { useEffect, useState } from "preact/hooks";

interface Store<T> {
  get(): T;
  set(value: T): void;
  /** Call `listener` after each change; the returned function unsubscribes it. */
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let current = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => current,
    set(value) {
      if (Object.is(value, current)) return;
      current = value;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The value of `store`; a change renders the component again. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.get());
  useEffect(() => {
    setValue(() => store.get()); // it may have changed since the render
    return store.subscribe(() => setValue(() => store.get()));
  }, [store]);
  return value;
}
