/** Notices: an error, a warning or advice. */

import type { ComponentChildren } from "preact";
import { describe } from "../texts/problems";
import { useTexts } from "../texts";
import type { Problem } from "../api/client";
import { Button } from "./Button";
import { Icon } from "./Icon";

export function Notice({
  kind = "info",
  title,
  children,
}: {
  kind?: "info" | "warning" | "bad";
  title?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class={`notice ${kind}`} role={kind === "bad" ? "alert" : undefined} tabIndex={-1}>
      <Icon name={kind === "info" ? "info" : "alert"} />
      <div>
        {title && <strong>{title}</strong>}
        {children}
      </div>
    </div>
  );
}

/** A link to an error in the guides. */
export function ErrorLink({ code }: { code: string }) {
  const t = useTexts();
  return (
    <a class="hint" href={`guides/errors#${code}`} target="_blank">
      {t.problems.aboutError} <code>{code}</code>
    </a>
  );
}

/** An API error; with `retry`, it has a button that tries again. */
export function ProblemNotice({ problem, retry }: { problem: Problem; retry?: () => void }) {
  const t = useTexts();
  return (
    <Notice kind="bad">
      <p>{describe(problem)}</p>
      {problem.isInReference && <ErrorLink code={problem.code} />}
      {retry && (
        <Button small icon="refresh" onClick={retry}>
          {t.common.tryAgain}
        </Button>
      )}
    </Notice>
  );
}
