/** What a press orders of the API: busy meanwhile, and what was refused. */

import { useState } from "preact/hooks";
import { Problem } from "../api/client";

export function useAction() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  /** Do `order`, and tell whether it succeeded. */
  const run = async (order: () => Promise<void>): Promise<boolean> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await order();
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run };
}
