/** Why a message failed, and what to do about it. */

import type { Reason, SendboxMessage } from "../../api/types";
import { ErrorLink, Notice } from "../../components/Notice";
import { useTexts } from "../../texts";

/** With these reasons, the same message to the same recipients fails again. */
const FINAL: readonly Reason[] = ["recipient_suppressed", "recipient_rejected", "content_rejected"];

export function isFinalFailure({ status, reason }: SendboxMessage): boolean {
  return status === "failed" && reason !== null && FINAL.includes(reason);
}

export function Failure({ message }: { message: SendboxMessage }) {
  const t = useTexts().message;
  const { code, reason, explanation, recipients } = message;
  const isAboutRecipient = reason === "recipient_suppressed" || reason === "recipient_rejected";
  return (
    <Notice kind="bad" title={explanation ?? t.failedTitle}>
      {isAboutRecipient && recipients.length > 1 && <p>{t.rejectedWhole}</p>}
      {reason && <p>{t.advice[reason]}</p>}
      <p>{t.notCharged}</p>
      {code && <ErrorLink code={code} />}
    </Notice>
  );
}
