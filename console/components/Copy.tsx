/** Buttons that put a text on the clipboard, and code beside one. */

import { useEffect, useState } from "preact/hooks";
import { toast } from "../state/toasts";
import { texts, useTexts } from "../texts";
import { Button } from "./Button";

/** `label` is what the text is, for screen readers. */
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

/** Code, with a button that copies it; `shown` where what is shown hides a part. */
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
