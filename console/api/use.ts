/** Reading from the API while a component is shown. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { call, Problem, type Options } from "./client";

export interface Loaded<T> {
  data?: T;
  problem?: Problem;
  /** Ask again, with what is shown left in its place meanwhile. */
  reload: () => Promise<void>;
}

/** What `GET path` answers, asked anew whenever the place or the query changes. */
export function useGet<T>(path: string, options: Options = {}): Loaded<T> {
  const place = JSON.stringify([path, options.query, options.as]);
  const [state, setState] = useState<{ place: string; data?: T; problem?: Problem }>({ place });
  const wanted = useRef(place);
  wanted.current = place;
  const asked = useRef(0);
  const answered = useRef(0);
  const reload = useCallback(async () => {
    if (wanted.current !== place) return; // called by what was drawn for another place
    const number = ++asked.current;
    const isNews = () => {
      // Answers may overtake each other.
      if (wanted.current !== place || number < answered.current) return false;
      answered.current = number;
      return true;
    };
    try {
      const data = await call<T>("GET", path, options);
      if (isNews()) setState({ place, data });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!isNews()) return;
      setState((old) => ({ ...(old.place === place && old), place, problem: error }));
    }
  }, [place]);
  useEffect(() => void reload(), [reload]);
  const isCurrent = state.place === place;
  const { data, problem } = isCurrent ? state : {};
  return { data, problem, reload };
}
