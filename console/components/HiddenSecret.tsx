/** A card with a secret that is hidden until the person shows it. */

import type { ComponentChildren } from "preact";
import { useTexts } from "../texts";
import { Button } from "./Button";
import { CopyButton } from "./Copy";
import { Card } from "./Page";

/** Shown instead of a hidden secret. */
export const HIDDEN = "••••••••••••";

export function HiddenSecret({
  title,
  text,
  hidden,
  isShown,
  onShown,
  children,
}: {
  /** What the secret is. */
  title: string;
  /** The secret. */
  text: string;
  /** What screen readers read instead of the hidden secret. */
  hidden: string;
  isShown: boolean;
  onShown: (isShown: boolean) => void;
  children: ComponentChildren;
}) {
  const t = useTexts().common;
  return (
    <Card
      title={title}
      aside={
        <div class="row">
          <Button small icon="eye" onClick={() => onShown(!isShown)}>
            {isShown ? t.hide : t.show}
          </Button>
          <CopyButton text={text} label={title} />
        </div>
      }
    >
      <p class="secret">
        {isShown ? (
          <code>{text}</code>
        ) : (
          <>
            <code aria-hidden="true">{HIDDEN.repeat(2)}</code>
            <span class="hidden">{hidden}</span>
          </>
        )}
      </p>
      {children}
    </Card>
  );
}
