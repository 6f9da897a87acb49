/** Polling while the page is visible. */

import { useEffect, useRef } from "preact/hooks";
import type { Problem } from "./client";

const FIRST_SECONDS = 2;
const LONGEST_SECONDS = 60;

/**
 * Call `load` repeatedly while the page is visible, in growing intervals. A change of `state`
 * resets the interval. After `problem`, wait at least as long as its Retry-After says.
 */
export function usePolling(
  load: () => Promise<void>,
  state: string,
  { isOn = true, problem }: { isOn?: boolean; problem?: Problem } = {},
): void {
  const latest = useRef(load);
  latest.current = load;
  const retryAfter = problem?.retryAfter ?? 0;
  useEffect(() => {
    if (!isOn) return undefined;
    let seconds = FIRST_SECONDS;
    let timer = 0;
    let hasEnded = false;
    const wait = () => {
      clearTimeout(timer);
      if (!hasEnded && document.visibilityState === "visible") {
        timer = window.setTimeout(() => void again(), Math.max(seconds, retryAfter) * 1000);
      }
    };
    const again = async () => {
      seconds = Math.min(seconds * 1.5, LONGEST_SECONDS);
      await latest.current();
      wait();
    };
    const seen = () => {
      seconds = FIRST_SECONDS;
      if (document.visibilityState === "visible" && !retryAfter) void again();
      else wait();
    };
    wait();
    document.addEventListener("visibilitychange", seen);
    return () => {
      hasEnded = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [state, isOn, retryAfter]);
}
