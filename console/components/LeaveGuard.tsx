/** While this component is mounted, it asks before the person leaves the screen. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { guardLeaving } from "../state/route";
import { Confirm } from "./Dialog";

export function LeaveGuard({
  title,
  yes,
  kind,
  children,
}: {
  title: string;
  /** The label of the button that leaves. */
  yes: string;
  kind?: "danger" | "primary";
  children: ComponentChildren;
}) {
  const [leave, setLeave] = useState<() => void>();
  useEffect(() => {
    const unguard = guardLeaving((go) => setLeave(() => go));
    // If the person closes or reloads the page, the browser asks instead.
    const stay = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", stay);
    return () => {
      unguard();
      removeEventListener("beforeunload", stay);
    };
  }, []);
  if (!leave) return null;
  return (
    <Confirm
      title={title}
      yes={yes}
      kind={kind}
      action={async () => leave()}
      onClose={() => setLeave(undefined)}
    >
      {children}
    </Confirm>
  );
}
