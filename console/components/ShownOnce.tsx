/**
 * While this component is mounted, the screen shows a secret that the server sends only once. It
 * asks before the person leaves the screen, and the screen stays if another tab signs out.
 */

import { useEffect } from "preact/hooks";
import { isSecretShown } from "../state/shown_once";
import { LeaveGuard } from "./LeaveGuard";

export function ShownOnce(question: Omit<Parameters<typeof LeaveGuard>[0], "kind">) {
  useEffect(() => {
    isSecretShown.set(true);
    return () => isSecretShown.set(false);
  }, []);
  return <LeaveGuard kind="primary" {...question} />;
}
