/** Keeps what a person has changed from being lost by leaving the screen. */

import { useEffect, useState } from "preact/hooks";
import { Confirm } from "../../components/Dialog";
import { hold } from "../../state/route";
import { useTexts } from "../../texts";

export function Unsaved() {
  const t = useTexts().admin.unsaved;
  const [leave, setLeave] = useState<() => void>();
  useEffect(() => {
    const release = hold((go) => setLeave(() => go));
    // The browser asks in its own words, when the page itself is left.
    const stay = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", stay);
    return () => {
      release();
      removeEventListener("beforeunload", stay);
    };
  }, []);
  if (!leave) return null;
  return (
    <Confirm
      title={t.title}
      yes={t.leave}
      action={async () => leave()}
      onClose={() => setLeave(undefined)}
    >
      <p>{t.text}</p>
    </Confirm>
  );
}
