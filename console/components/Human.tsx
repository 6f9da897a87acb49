/**
 * The human verification (Turnstile), if the deployment has one.
 *
 * The script of Turnstile comes from a host of Cloudflare. Only the separate page /human loads it:
 * the policy of that page allows the host, and the policy of the console does not.
 */

import { useEffect, useRef, useState } from "preact/hooks";
import { site } from "../state/site";
import { useStore } from "../state/store";
import { useTexts } from "../texts";
import { Button } from "./Button";
import { Notice } from "./Notice";

export function Human({ onToken }: { onToken: (token: string) => void }) {
  const t = useTexts();
  const key = useStore(site)?.cfTurnstileSiteKey;
  const frame = useRef<HTMLIFrameElement>(null);
  const [hasFailed, setHasFailed] = useState(false);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const listen = (event: MessageEvent<string | null>) => {
      const isOurs = event.origin === location.origin;
      if (!isOurs || event.source !== frame.current?.contentWindow) return;
      setHasFailed(event.data === null);
      onToken(event.data ?? "");
    };
    addEventListener("message", listen);
    return () => removeEventListener("message", listen);
  }, []);
  if (!key) return null;
  const again = () => {
    setHasFailed(false);
    setAttempt(attempt + 1);
  };
  return (
    <>
      <iframe
        key={attempt}
        ref={frame}
        class="human"
        title={t.start.human}
        src={`human?${new URLSearchParams({ key })}`}
      />
      {hasFailed && (
        <Notice kind="bad">
          <p>{t.start.humanFailed}</p>
          <Button small icon="refresh" onClick={again}>
            {t.common.tryAgain}
          </Button>
        </Notice>
      )}
    </>
  );
}
