/** A button that copies a text to the clipboard, and a code block with such a button. */

import { useEffect, useState } from "preact/hooks";
import { toast } from "../state/toasts";
import { texts, useTexts } from "../texts";
import { Button } from "./Button";

/** `label` names the text for screen readers. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const t = useTexts();
  const [isDone, setIsDone] = useState(false);
  useEffect(() => {
    if (!isDone) return undefined;
    const timer = setTimeout(() => setIsDone(false), 2000);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setIsDone(true);
      toast(texts().common.copied);
    } catch {
      toast(texts().common.notCopied, "bad");
    }
  };
  return (
    <Button
      small
      icon={isDone ? "check" : "copy"}
      aria-label={t.common.copyOf(label)}
      onClick={() => void copy()}
    >
      {t.common.copy}
    </Button>
  );
}

/** A code block whose button copies `text`. It displays `shown`, by default `text`. */
export function Code({ text, shown, label }: { text: string; shown?: string; label: string }) {
  return (
    <div class={text.includes("\n") ? "code" : "code one-line"}>
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{shown ?? text}</code>
      </pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}
