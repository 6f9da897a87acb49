/** Hooks that load data from the API for a component. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { call, Problem, type Options } from "./client";

export interface Loaded<T> {
  data?: T;
  problem?: Problem;
  /** Load again; the current data stays until the response arrives. */
  reload: () => Promise<void>;
}

/** The response to `GET path`, loaded again whenever the path or the query changes. */
export function useGet<T>(path: string, options: Options = {}): Loaded<T> {
  const key = [path, options.query, options.as];
  return useLoad(key, () => call<T>("GET", path, options));
}

/** The result of `load`, loaded again whenever `given`, which identifies it, changes. */
export function useLoad<T>(given: unknown, load: () => Promise<T>): Loaded<T> {
  const key = JSON.stringify(given);
  const [state, setState] = useState<{ key: string; data?: T; problem?: Problem }>({ key });
  const wanted = useRef(key);
  wanted.current = key;
  const asked = useRef(0);
  const responded = useRef(0);
  const reload = useCallback(async () => {
    if (wanted.current !== key) return; // an outdated render called it
    const number = ++asked.current;
    const isLatest = () => {
      // Responses may arrive out of order.
      if (wanted.current !== key || number < responded.current) return false;
      responded.current = number;
      return true;
    };
    try {
      const data = await load();
      if (isLatest()) setState({ key, data });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!isLatest()) return;
      setState((old) => ({ ...(old.key === key && old), key, problem: error }));
    }
  }, [key]);
  useEffect(() => void reload(), [reload]);
  const isCurrent = state.key === key;
  const { data, problem } = isCurrent ? state : {};
  return { data, problem, reload };
}
